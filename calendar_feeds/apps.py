"""App configuration."""

from django.apps import AppConfig


class CalendarFeedsConfig(AppConfig):
    name = "calendar_feeds"
    verbose_name = "Calendar feeds"
