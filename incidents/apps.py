"""The app of incidents: what is wrong with a pipeline, who was told, what was done."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Issues, outages and delays."""

    name = "incidents"
