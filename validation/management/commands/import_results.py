"""Import results of another tool from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.exceptions import InvalidInputError
from validation.importers.files import KINDS, parsed
from validation.importers.results import UnreadableFileError
from validation.services.external_results import record_file


class Command(BaseCommand):
    """`manage.py import_results KIND FILE` does the same as the API's `POST integrations/KIND/`."""

    help = "Import results of dbt, Great Expectations, Soda or an Airflow callback from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the tool and the file."""
        parser.add_argument("kind", choices=sorted(KINDS), help="tool that wrote the file")
        parser.add_argument("file", type=Path, help="result file")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file and print the number of new and known results and the unmapped keys."""
        path: Path = options["file"]
        try:
            result = record_file(options["kind"], document=parsed(path.read_bytes()), at=timezone.now())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except UnreadableFileError as unreadable:
            raise CommandError(f"{path}: {unreadable}") from unreadable
        except InvalidInputError as invalid:
            raise CommandError(f"{path}: {' '.join(invalid.problems.get('file', [str(invalid)]))}") from invalid
        self.stdout.write(f"{result.new} new, {result.known} already known")
        for key in result.unmapped:
            self.stdout.write(f"unmapped: {key}")
