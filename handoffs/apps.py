"""App configuration for hand-offs."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Hand-off meetings at the end of each on-call period."""

    name = "handoffs"

    def ready(self) -> None:
        """Register the app's message kinds."""
        from handoffs.notifications import KINDS  # noqa: PLC0415  # models can be imported only after apps are loaded
        from notifications.registry import register  # noqa: PLC0415  # as above

        register(*KINDS)
