"""The app of metrics, their points, and the checks that judge them."""

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    """Is the number right?"""

    name = "validation"
