"""The app of incidents: what is wrong with a pipeline, who was told, what was done."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Issues, outages and delays."""

    name = "incidents"

    def ready(self) -> None:
        """Make the kinds of messages about incidents known."""
        from incidents.notifications import register_kinds  # noqa: PLC0415  # models load only once the apps are known

        register_kinds()
