"""The app of runbooks and of the handbook file."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """Runbooks."""

    name = "runbooks"
