"""Slack's Web API (https://docs.slack.dev/apis/web-api), called with the bot token."""

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from common.crypto import DecryptionError
from common.safe_http import PostResult, Rules, UnreachableError, post_bytes
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import GoneError, RetryLaterError, UndeliverableError
from notifications.channels.http import Request, check_answer, post_request, retry_after
from notifications.queries.slack import App, slack_app

PUBLIC_API_URL = "https://slack.com/api"
MAX_ANSWER_BYTES = 256 * 1024
MAX_CODE_LENGTH = 100
DEFAULT_PAUSE_SECONDS = 30.0
TOO_MANY_STATUS = 429
RETRYABLE_STATUSES = frozenset({408, 425})
# The recipient no longer exists, or the app may not write there.
GONE_ERRORS = frozenset(
    {
        "users_not_found",
        "user_not_found",
        "user_disabled",
        "user_not_visible",
        "channel_not_found",
        "is_archived",
        "cannot_dm_bot",
    }
)
# Problems of the app, which an admin can solve, and temporary ones.
RETRYABLE_ERRORS = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "team_access_not_granted",
        "access_denied",
        "accesslimited",
        "fatal_error",
        "internal_error",
        "service_unavailable",
        "request_timeout",
        "team_added_to_org",
        "messages_tab_disabled",
    }
)

REFUSED_APP = "Slack does not accept the site’s bot token. An admin must replace it."
# The text for each error. Other errors show their code.
PROBLEMS = {
    "users_not_found": "Slack has no member with this e-mail address.",
    "user_not_found": "The member has left the Slack workspace.",
    "user_disabled": "The member has left the Slack workspace.",
    "channel_not_found": "Slack has no such channel, or the app is not in it.",
    "not_in_channel": "The app is not in the channel. Invite it there.",
    "is_archived": "The channel is archived.",
    "message_not_found": "The message was deleted in Slack.",
    "no_such_subteam": "Slack has no such user group.",
    "permission_denied": "The workspace does not let apps change user groups.",
    "plan_upgrade_required": "The workspace’s plan has no user groups.",
    "messages_tab_disabled": "The Slack app cannot send direct messages. An admin must turn on its Messages tab.",
    "missing_scope": "The Slack app lacks a permission. An admin must reinstall it with the permissions in the manifest.",
    **dict.fromkeys(("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"), REFUSED_APP),
}


def app_or_error() -> App:
    """Return the site's Slack app; raise UndeliverableError if there is none or its secrets cannot be read."""
    try:
        app = slack_app()
    except DecryptionError as error:
        raise UndeliverableError(f"The site’s Slack app cannot be used. {error}") from error
    if app is None:
        raise UndeliverableError("The site has no Slack app.")
    return app


def call(app: App, method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Call a method and return its answer. Fields that are lists or objects are sent as JSON.

    Raises GoneError if the receiver does not exist, UndeliverableError if Slack refuses this call, RetryLaterError and
    ConnectionError if it may succeed later.
    """
    values = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    headers = {
        "Authorization": f"Bearer {app.bot_token}",
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
    }
    try:
        answer = post_bytes(
            f"{settings.SLACK_API_URL}/{method}",
            body=urlencode(values).encode(),
            headers=headers,
            rules=api_rules(),
            answer_bytes=MAX_ANSWER_BYTES,
        )
    except UnreachableError as error:
        raise ConnectionError(str(error)) from error
    document = _document(answer)
    code = str(document.get("error", ""))
    if answer.status == TOO_MANY_STATUS or code in ("ratelimited", "rate_limited"):
        raise RetryLaterError(
            "Slack’s rate limit was reached.",
            seconds=retry_after(answer, at=dt.datetime.now(dt.UTC)) or DEFAULT_PAUSE_SECONDS,
        )
    if answer.status >= 500 or answer.status in RETRYABLE_STATUSES:
        raise ConnectionError(f"Slack returned status {answer.status}.")
    if document.get("ok") is True:
        return document
    text = f"Slack returned status {answer.status}."
    if code:
        text = PROBLEMS.get(code) or f"Slack refused the request: {code[:MAX_CODE_LENGTH]}."
    if code in RETRYABLE_ERRORS:
        raise ConnectionError(text)
    raise (GoneError if code in GONE_ERRORS else UndeliverableError)(text)


def post_answer(url: str, text: str, *, deadline: Deadline) -> None:
    """Post a response that only the person who clicked sees; raise the errors of `check_answer`."""
    body = {"response_type": "ephemeral", "replace_original": False, "text": text}
    request = Request(url, json.dumps(body).encode(), headers={}, rules=answer_rules())
    check_answer(post_request(request, deadline=deadline), url=url)


def _document(answer: PostResult) -> dict[str, Any]:
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def api_rules() -> Rules:
    """Return the limits of a call. An operator's own API address, for tests, may be on this machine."""
    if settings.SLACK_API_URL == PUBLIC_API_URL:
        return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS, ports=None, permitted=lambda address: True)


def answer_rules() -> Rules:
    """Return the limits of a request to a URL from Slack; tests permit a server on this machine."""
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
