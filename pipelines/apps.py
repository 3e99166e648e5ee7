"""The app of pipelines and who owns them."""

from django.apps import AppConfig


class PipelinesConfig(AppConfig):
    """Pipelines and their owners."""

    name = "pipelines"
