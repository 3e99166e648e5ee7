"""Mail servers: which refusals are for good, how their addresses are given, mail as files, what Celery kicks."""

import email
import json
import os
import smtplib
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.core.management import call_command

from notifications import tasks
from notifications.models import Message
from notifications.services.delivery import deliver_one
from tests.notifications.news import enqueue_news, with_mail

ROOT = Path(__file__).parents[2]


@pytest.fixture
def message(a):
    enqueue_news([with_mail(a)])
    return Message.objects.get()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (smtplib.SMTPRecipientsRefused({"a@example.org": (550, b"No such person")}), "failed"),
        (smtplib.SMTPRecipientsRefused({"a@example.org": (450, b"Greylisted")}), "pending"),
        (smtplib.SMTPDataError(554, b"Spam"), "failed"),
        (smtplib.SMTPDataError(451, b"Later"), "pending"),
        (smtplib.SMTPSenderRefused(553, b"Not yours", "oncall@localhost"), "failed"),
        (smtplib.SMTPAuthenticationError(535, b"Wrong password"), "pending"),
        (smtplib.SMTPConnectError(554, b"No service"), "pending"),
        (smtplib.SMTPServerDisconnected("Gone"), "pending"),
        (ConnectionRefusedError(111, "Connection refused"), "pending"),
        (TimeoutError(), "pending"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "no"), "pending"),
    ],
)
def test_only_a_rejection_of_the_message_itself_is_permanent(message, monkeypatch, error, state):
    def refuse(backend, messages):
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    deliver_one()
    message.refresh_from_db()
    assert message.state == state
    assert message.problem
    assert (message.retry_at is not None) == (state == "pending")


def test_without_a_mail_server_mail_is_written_to_files(message, settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = tmp_path
    deliver_one()
    (file,) = tmp_path.iterdir()
    stored = email.message_from_bytes(file.read_bytes())
    assert stored["To"] == "engineer-a@example.org"
    assert stored["Message-ID"].startswith(f"<oncall.{message.pk}.")


NAMES = ("HOST", "PORT", "HOST_USER", "HOST_PASSWORD", "USE_TLS", "USE_SSL", "BACKEND")
ASKED = f"""
import json
from django.conf import settings
print(json.dumps([getattr(settings, "EMAIL_" + name) for name in {NAMES!r}]))
"""


def settings_with(**variables):
    stored = {name: value for name, value in os.environ.items() if not name.startswith(("EMAIL_", "MESSAGE_"))}
    environment = {**stored, **variables, "DJANGO_SETTINGS_MODULE": "oncall_site.settings", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", ASKED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return dict(zip(NAMES, json.loads(done.stdout), strict=True)) if done.returncode == 0 else done.stderr


def test_a_mail_server_is_configured_by_url_or_by_host():
    actual = settings_with(EMAIL_URL="smtp+tls://a%40b:p%2Fw@mail.example:2525")
    assert actual["BACKEND"] == "notifications.channels.email.smtp.WatchedBackend"
    assert (actual["HOST"], actual["PORT"], actual["HOST_USER"], actual["HOST_PASSWORD"]) == (
        "mail.example",
        2525,
        "a@b",
        "p/w",
    )
    assert (actual["USE_TLS"], actual["USE_SSL"]) == (True, False)
    assert settings_with(EMAIL_URL="smtps://mail.example")["PORT"] == 465
    assert settings_with(EMAIL_HOST="mail.example")["PORT"] == 25
    assert settings_with()["BACKEND"] == "django.core.mail.backends.filebased.EmailBackend"


def test_invalid_settings_are_rejected_at_startup():
    assert "EMAIL_URL must start with" in settings_with(EMAIL_URL="http://mail.example")
    assert "at least twice" in settings_with(MESSAGE_SEND_SECONDS="60")


# Celery


def test_a_sweep_starts_a_deliverer_per_due_message_up_to_the_limit(a, b, monkeypatch):
    kicked = []
    monkeypatch.setattr(tasks.deliver, "delay", lambda: kicked.append(1))
    tasks.sweep()
    assert kicked == []
    for number in range(10):
        enqueue_news([with_mail(a), with_mail(b)], f"{number}")
    tasks.sweep()
    assert len(kicked) == tasks.MAX_SENDERS
    tasks.deliver()
    assert set(Message.objects.values_list("state", flat=True)) == {"sent"}


def test_the_hard_limit_is_between_a_deliverers_need_and_the_lease(settings):
    from notifications.channels.deadline import GRACE_SECONDS
    from notifications.channels.email.smtp import QUIT_SECONDS
    from notifications.services.leases import LEASE_SHARE

    lease = settings.MESSAGE_LEASE_SECONDS
    longest = tasks.DELIVERY_SECONDS + lease * LEASE_SHARE + QUIT_SECONDS + GRACE_SECONDS + 0.5
    assert longest < tasks.HARD_LIMIT_SECONDS < lease
    assert settings.EMAIL_TIMEOUT < settings.MESSAGE_SEND_SECONDS < lease * LEASE_SHARE
    assert settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 600) > lease


def test_the_command_delivers_without_celery(message, capsys):
    call_command("deliver")
    assert "1 messages" in capsys.readouterr().out
    message.refresh_from_db()
    assert message.state == "sent"
