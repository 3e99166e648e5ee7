"""Configuration of the runbooks app."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """Runbooks."""

    name = "runbooks"
