"""Imports another tool's results from a file."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from common.exceptions import InvalidInputError
from incidents.services.alerts import ingest_alerts
from validation.importers import alertmanager, dbt
from validation.importers.files import KINDS, parsed
from validation.importers.json_stream import PIECE_BYTES
from validation.importers.results import UnreadableFileError
from validation.services.folders import import_folders
from validation.services.imports import import_file


class Command(BaseCommand):
    """`manage.py import_results KIND FILE`, like the API's `POST integrations/KIND/`."""

    help = (
        "Import results from a file of dbt, Great Expectations or Soda, an Airflow callback or an Alertmanager webhook."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the tool and the file."""
        parser.add_argument("kind", choices=sorted({*KINDS, alertmanager.TOOL}), help="the tool that wrote the file")
        parser.add_argument("file", type=Path, help="the file, unchanged; for dbt also the folder with its artifacts")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import the file, and print what was new and what has no pipeline."""
        path: Path = options["file"]
        if path.is_dir() and options["kind"] == dbt.TOOL:
            self._import_folder(path)
            return
        try:
            with path.open("rb") as file:
                lines = self._import(options["kind"], file)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from error
        except UnreadableFileError as error:
            raise CommandError(f"{path}: {error}") from error
        except InvalidInputError as error:
            raise CommandError(f"{path}: {' '.join(error.problems.get('file', [str(error)]))}") from error
        for line in lines:
            self.stdout.write(line)

    def _import_folder(self, path: Path) -> None:
        """Import the artifacts of dbt in a folder that are new or have changed."""
        rows = import_folders([path], at=timezone.now())
        for row in rows:
            self.stdout.write(f"{row.path}: {row.error or 'imported'}")
        if not rows:
            self.stdout.write(f"{path}: nothing new")
        if any(row.error for row in rows):
            raise CommandError(f"{path}: not every file could be imported.")

    def _import(self, kind: str, file: BinaryIO) -> list[str]:
        at = timezone.now()
        if kind == alertmanager.TOOL:
            batch = ingest_alerts(alertmanager.read_alerts(parsed(file.read())), at=at)
            return [
                f"firing: {batch.firing}",
                f"closed: {batch.closed}",
                *(f"unmapped: {key}" for key in batch.unmapped),
                *(f"ignored: {key} is neither firing nor resolved" for key in batch.ignored),
            ]
        recorded = import_file(kind, pieces=iter(partial(file.read, PIECE_BYTES), b""), at=at)
        summary = f"{recorded.new} new, {recorded.known} already known"
        return [
            "a newer manifest was imported before: nothing changed" if recorded.outdated else summary,
            *recorded.refused,
            *(f"unmapped: {key}" for key in recorded.unmapped),
        ]
