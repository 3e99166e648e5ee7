"""Imports another tool's results from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.exceptions import InvalidInputError
from incidents.services.alerts import ingest_alerts
from validation.importers import alertmanager
from validation.importers.files import KINDS, parsed
from validation.importers.results import UnreadableFileError
from validation.services.external_results import record_file


class Command(BaseCommand):
    """`manage.py import_results KIND FILE`, like the API's `POST integrations/KIND/`."""

    help = (
        "Import results from a file of dbt, Great Expectations or Soda, an Airflow callback or an Alertmanager webhook."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the tool and the file."""
        parser.add_argument("kind", choices=sorted({*KINDS, alertmanager.TOOL}), help="the tool that wrote the file")
        parser.add_argument("file", type=Path, help="the file, unchanged")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print what was new and what has no pipeline."""
        path: Path = options["file"]
        try:
            lines = self._import(options["kind"], path.read_bytes())
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except UnreadableFileError as error:
            raise CommandError(f"{path}: {error}") from error
        except InvalidInputError as error:
            raise CommandError(f"{path}: {' '.join(error.problems.get('file', [str(error)]))}") from error
        for line in lines:
            self.stdout.write(line)

    def _import(self, kind: str, data: bytes) -> list[str]:
        document, at = parsed(data), timezone.now()
        if kind == alertmanager.TOOL:
            batch = ingest_alerts(alertmanager.read_alerts(document), at=at)
            unmapped, summary = batch.unmapped, [f"firing: {batch.firing}", f"closed: {batch.closed}"]
        else:
            recorded = record_file(kind, document=document, at=at)
            unmapped, summary = recorded.unmapped, [f"{recorded.new} new, {recorded.known} already known"]
        return [*summary, *(f"unmapped: {key}" for key in unmapped)]
