"""Import the handbook."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.exceptions import DomainError
from handbook.queries.questions import Answers
from handbook.services import import_handbook, preview_handbook
from handbook.services.report import ImportErrors
from people.domain.names import match_key
from runbooks.domain.handbook_model import HandbookErrors


class Command(BaseCommand):
    """`manage.py import_handbook FILE`: create and update everything in the file, or change nothing on errors."""

    help = "Create or update pipelines, engineers, owners, rotation, hand-off and runbooks from a handbook in Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="handbook in Markdown")
        parser.add_argument(
            "--starting",
            type=dt.date.fromisoformat,
            metavar="MONDAY",
            help="start date of week 1, such as 2026-11-23 (default: this week; for a changed roster the next week)",
        )
        parser.add_argument(
            "--time-zone",
            metavar="ZONE",
            help="rotation time zone, such as Europe/Berlin (default: keep current; UTC for a new rotation)",
        )

        parser.add_argument(
            "--rotation",
            action="append",
            default=[],
            metavar="[TITLE=]SLUG|new",
            help="which rotation a title means that the site does not have: one of the site, which is renamed, or a new one",
        )
        parser.add_argument(
            "--person",
            action="append",
            default=[],
            metavar="NAME=USER",
            help="who a new name means: the user name of a person, another name in the file, or “new”",
        )
        parser.add_argument("--dry-run", action="store_true", help="print what would happen, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print what was created, changed and unchanged."""
        path: Path = options["file"]
        answers = _answers(people=options["person"], rotations=options["rotation"])
        run = preview_handbook if options["dry_run"] else import_handbook
        try:
            report = run(
                path.read_bytes(),
                at=timezone.now(),
                starting=options["starting"],
                time_zone=options["time_zone"],
                answers=answers,
            )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except HandbookErrors as error:
            hint = _hint(error) if isinstance(error, ImportErrors) else ""
            raise CommandError(f"{path} has errors. Nothing was changed.\n{error}{hint}") from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        for question in report.people:
            if question.key not in answers.people:
                alike = ", ".join(option.label for option in question.options)
                self.stderr.write(f"warning: line {question.line}: {question.name} resembles {alike}")
        for line in report.lines(preview=options["dry_run"]):
            self.stdout.write(line)


def _answers(*, people: list[str], rotations: list[str]) -> Answers:
    """Return the answers of the options; raise CommandError for a person without a name."""
    named = [text.rpartition("=") for text in people]
    if any(not name for name, _, _ in named):
        raise CommandError("--person needs a name and who it means, such as --person 'Priya Oneil=priya-o-neil'.")
    titled = [text.rpartition("=") for text in rotations]
    return Answers(
        people={match_key(name): answer for name, _, answer in named},
        rotations={match_key(title): answer for title, _, answer in titled},
    )


def _hint(error: ImportErrors) -> str:
    """Return how to answer the open questions."""
    lines = [
        f"Say which rotation it is with --rotation '{question.title}=…': "
        + " or ".join(["new", *(option.value for option in question.options)])
        for question in error.rotations
    ]
    lines += [
        f"Say who it is with --person '{question.name}={question.display_name_of.username}'"
        for question in error.people
        if question.display_name_of
    ]
    return "".join(f"\n{line}" for line in lines)
