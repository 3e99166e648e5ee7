"""The app of the hand-off meeting at the end of each on-call period."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Hand-offs."""

    name = "handoffs"

    def ready(self) -> None:
        """Make the kinds of messages known."""
        from handoffs.notifications import KINDS  # noqa: PLC0415  # it reads tables, which are there only once apps are loaded
        from notifications.registry import register  # noqa: PLC0415  # likewise

        register(*KINDS)
