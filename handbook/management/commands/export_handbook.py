"""Export the handbook."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.exceptions import DomainError
from handbook.queries.export import export_handbook


class Command(BaseCommand):
    """`manage.py export_handbook [FILE]`: write the handbook to FILE or to standard output."""

    help = "Export the handbook as Markdown that import_handbook can read."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="output file (default: standard output)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = export_handbook()
        except DomainError as error:
            raise CommandError(str(error)) from error
        path: Path | None = options["file"]
        if path is None:
            self.stdout.write(text, ending="")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
