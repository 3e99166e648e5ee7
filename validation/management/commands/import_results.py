"""Reads another tool's results from a file."""

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
    """`manage.py import_results KIND FILE`: as the API's `POST integrations/KIND/` does."""

    help = "Keep the results in a file of dbt, Great Expectations, Soda or an Airflow callback."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which tool's file it is, and where."""
        parser.add_argument("kind", choices=sorted(KINDS), help="whose file it is")
        parser.add_argument("file", type=Path, help="the file, as the tool wrote it")

    def handle(self, *args: Any, **options: Any) -> None:
        """Keep the file's results and say what was new, known, and given to no pipeline."""
        path: Path = options["file"]
        try:
            recorded = record_file(options["kind"], document=parsed(path.read_bytes()), at=timezone.now())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except UnreadableFileError as unreadable:
            raise CommandError(f"{path}: {unreadable}") from unreadable
        except InvalidInputError as invalid:
            raise CommandError(f"{path}: {' '.join(invalid.problems.get('file', [str(invalid)]))}") from invalid
        self.stdout.write(f"{recorded.new} new, {recorded.known} known already")
        for key in recorded.unmapped:
            self.stdout.write(f"no pipeline yet: {key}")
