"""Tells a container's health check whether a part of the machinery showed life lately."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oncall_site.queries import readiness

PARTS = ("database", "broker", "worker", "beat")


class Command(BaseCommand):
    """`manage.py healthy PART`: says how the part is, and fails where it is not well."""

    help = "Say whether a part of the site is well: the exit code is 0 where it is, 1 where it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        """Ask for the part."""
        parser.add_argument("part", choices=PARTS)

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and say what was seen."""
        [part] = [part for part in readiness() if part.part == options["part"]]
        if not part.well:
            raise CommandError(f"{part.part}: {part.seen}")
        self.stdout.write(f"{part.part}: {part.seen}")
