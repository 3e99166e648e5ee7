"""Message providers that are not set up."""

from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse

from notifications.queries.phone_account import has_phone_account
from notifications.queries.slack import has_slack_app

LOCAL_SENDER = "@localhost"


@dataclass(frozen=True, slots=True)
class MissingProvider:
    """A provider that is not set up: the effect, the section of docs/operations.md, and its page in the admin, or ""."""

    name: str
    text: str
    section: str
    path: str = ""


def missing_providers() -> list[MissingProvider]:
    """Return the providers that are not set up. E-mail and push work without the others."""
    rows = []
    if not settings.EMAIL_HOST:
        text = f"E-mail is not sent, but written to files in {settings.EMAIL_FILE_PATH}."
        rows.append(MissingProvider("E-mail", text, "Settings"))
    if not settings.HTTPS or LOCAL_SENDER in settings.VAPID_CONTACT:
        text = "Push needs an HTTPS address (SITE_URL) and a real contact address (EMAIL_FROM or VAPID_CONTACT)."
        rows.append(MissingProvider("Push", text, "Push"))
    if not has_phone_account():
        text = "SMS and calls are not available."
        path = reverse("admin:notifications_phoneaccount_changelist")
        rows.append(MissingProvider("SMS and calls", text, "SMS and calls", path))
    if not has_slack_app():
        text = "Slack messages with buttons, /oncall and Slack channels are not available."
        rows.append(MissingProvider("Slack", text, "Slack", reverse("admin:notifications_slackapp_changelist")))
    return rows
