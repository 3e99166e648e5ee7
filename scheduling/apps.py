"""The app of rotations, weeks, holidays, covers and swaps."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """The schedule."""

    name = "scheduling"
