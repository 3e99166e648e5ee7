"""Health check of one part of the site, for containers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from oncall_site.queries import site_health

HEALTH_PARTS = ("database", "broker", "worker", "beat")


class Command(BaseCommand):
    """`manage.py healthy PART`: prints the part's health and fails if it is down."""

    help = "Check the health of a part of the site. The exit code is 0 if it is up and 1 if it is down."
    # System checks load every page, and containers run this command every minute. `manage.py migrate` has run them.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("part", choices=HEALTH_PARTS)

    def handle(self, *args: Any, **options: Any) -> None:
        [part] = [part for part in site_health() if part.part == options["part"]]
        if not part.ok:
            raise CommandError(f"{part.part}: {part.detail}")
        self.stdout.write(f"{part.part}: {part.detail}")
