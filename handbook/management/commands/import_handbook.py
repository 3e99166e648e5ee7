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

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print what was created, changed and unchanged."""
        path: Path = options["file"]
        try:
            report = import_handbook(
                path.read_bytes(), at=timezone.now(), starting=options["starting"], time_zone=options["time_zone"]
            )
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except HandbookErrors as error:
            raise CommandError(f"{path} has errors. Nothing was changed.\n{error}") from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        for line in report.lines():
            self.stdout.write(line)
