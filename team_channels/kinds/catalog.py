"""The kinds of channels, by name."""

from team_channels.kinds.base import Kind
from team_channels.kinds.discord import DiscordKind
from team_channels.kinds.google_chat import GoogleChatKind
from team_channels.kinds.mattermost import MattermostKind
from team_channels.kinds.slack import SlackKind
from team_channels.kinds.teams import TeamsKind
from team_channels.kinds.webhook import WebhookKind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (SlackKind(), TeamsKind(), MattermostKind(), DiscordKind(), GoogleChatKind(), WebhookKind())
}
