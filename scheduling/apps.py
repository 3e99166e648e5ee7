"""The app of rotations, weeks, holidays, covers and swaps."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """The schedule."""

    name = "scheduling"

    def ready(self) -> None:
        """Make known what people are told of the schedule."""
        from notifications.registry import register  # noqa: PLC0415  # tables cannot be imported before the apps are loaded
        from scheduling.notifications import KINDS  # noqa: PLC0415  # as above

        register(*KINDS)
