"""App configuration."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    name = "incidents"

    def ready(self) -> None:
        """Register the notification types."""
        from incidents.notifications import register_notifications  # noqa: PLC0415  # models load once the apps are known

        register_notifications()
