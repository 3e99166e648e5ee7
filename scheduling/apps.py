"""App for rotations, weeks, time off, covers and swaps."""

from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Configuration of the scheduling app."""

    name = "scheduling"
