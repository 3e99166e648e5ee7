"""The app of metrics, data points and checks."""

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    """Is the number right?"""

    name = "validation"
