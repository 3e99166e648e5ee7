"""Export the handbook."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from common.exceptions import DomainError
from handbook.queries import export_handbook


class Command(BaseCommand):
    """`manage.py export_handbook [FILE]`: write the handbook to FILE or to standard output."""

    help = "Write the handbook in Markdown, as import_handbook reads it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?", help="where to write; standard output without it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = export_handbook()
        except DomainError as refusal:
            raise CommandError(str(refusal)) from refusal
        path: Path | None = options["file"]
        if path is None:
            self.stdout.write(text, ending="")
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
