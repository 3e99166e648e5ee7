"""The channels that need an address, by name. E-mail is not among them: its address is in the profile."""

from notifications.channels.base import Channel
from notifications.channels.chat.channel import ChatChannel
from notifications.channels.gotify.channel import GotifyChannel
from notifications.channels.ntfy.channel import NtfyChannel
from notifications.channels.slack.channel import SlackChannel
from notifications.channels.slack_app.channel import SlackAppChannel
from notifications.channels.sms.channel import SmsChannel
from notifications.channels.teams.channel import TeamsChannel
from notifications.channels.voice.channel import VoiceChannel
from notifications.channels.webhook.channel import WebhookChannel

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        SmsChannel(),
        VoiceChannel(),
        SlackAppChannel(),
        NtfyChannel(),
        GotifyChannel(),
        SlackChannel(),
        TeamsChannel(),
        WebhookChannel(),
        ChatChannel(),
    )
}
