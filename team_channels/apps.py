"""App for messages to the channels of pipelines and rotations."""

from django.apps import AppConfig


class TeamChannelsConfig(AppConfig):
    """Configuration of the team channels app."""

    name = "team_channels"
    verbose_name = "Channels"
