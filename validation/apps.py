"""The app of metrics, data points and checks."""

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    """Metrics, data points, checks and their results."""

    name = "validation"
