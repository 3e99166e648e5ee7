"""Import the handbook."""

import datetime as dt
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.exceptions import DomainError
from handbook.services import import_handbook
from runbooks.domain.handbook_model import HandbookErrors


class Command(BaseCommand):
    """`manage.py import_handbook FILE`: create and update everything in the file, or change nothing on errors."""

    help = "Create or update pipelines, engineers, owners, rotation, hand-off and runbooks from a handbook in Markdown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="the handbook, in Markdown")
        parser.add_argument(
            "--starting",
            type=dt.date.fromisoformat,
            metavar="MONDAY",
            help="the date on which week 1 starts, as 2026-11-23; without it, this week",
        )
        parser.add_argument(
            "--time-zone", metavar="ZONE", help="the rotation's zone, as Europe/Berlin; without it, UTC"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print what was created, changed and unchanged."""
        path: Path = options["file"]
        try:
            report = import_handbook(
                path.read_bytes(), at=timezone.now(), starting=options["starting"], time_zone=options["time_zone"]
            )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except HandbookErrors as found:
            raise CommandError(f"{path} has errors, so nothing was changed.\n{found}") from found
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        for line in report.lines():
            self.stdout.write(line)
