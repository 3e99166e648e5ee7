"""App for messages to the channels of a team: those of a pipeline or a rotation."""

from django.apps import AppConfig


class TeamChannelsConfig(AppConfig):
    """Configuration of the team channels app."""

    name = "team_channels"
