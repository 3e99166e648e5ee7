"""The app of the hand-off meeting at the end of each on-call period."""

from django.apps import AppConfig


class HandoffsConfig(AppConfig):
    """Hand-offs."""

    name = "handoffs"
