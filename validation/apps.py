"""The app of metrics, their points, and the checks that judge them."""

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    """Is the number right?"""

    name = "validation"

    def ready(self) -> None:
        """Make the room's kinds of messages known."""
        from notifications.registry import register  # noqa: PLC0415  # tables cannot be imported before the apps are loaded
        from validation.notifications import CHECK_ERROR, EXTERNAL_ERROR  # noqa: PLC0415  # as above

        register(CHECK_ERROR)
        register(EXTERNAL_ERROR)
