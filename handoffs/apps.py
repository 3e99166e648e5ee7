"""App configuration for hand-offs."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Hand-off meetings at the end of each on-call period."""

    name = "handoffs"
    verbose_name = "Hand-offs"
