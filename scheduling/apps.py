"""App for rotations, weeks, time off, covers and swaps."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Configuration of the scheduling app."""

    name = "scheduling"

    def ready(self) -> None:
        """Register the schedule's notifications."""
        from notifications.registry import register  # noqa: PLC0415  # models need loaded apps
        from scheduling.notifications import KINDS  # noqa: PLC0415  # as above

        register(*KINDS)
