"""The app of messages: the outbox from which workers deliver."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Messages to people."""

    name = "notifications"
