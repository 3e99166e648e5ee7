"""Promise 24: Django's deployment check is clean. Bandit runs in `make check`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = {
    "DATABASE_URL": "postgresql://oncall:secret@postgres/oncall",
    "SECRET_KEY": "d8K2mQ7vX1pR5tY9wZ3cB6nF0hJ4gL8sA2eU7iO1qW5xV9yM3bN5kP8",
    "FIELD_KEYS": "one-of-its-own",
    "REDIS_URL": "redis://redis:6379/0",
    "SITE_URL": "https://oncall.example.org",
    "ALLOWED_HOSTS": "oncall.example.org",
    "BEHIND_PROXY": "1",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.org:587",
}


def run(*arguments, tmp_path, **more):
    """Run Python with the settings of a real site."""
    variables = {"DJANGO_SETTINGS_MODULE": "oncall_site.settings", "ONCALL_VAR": str(tmp_path), **PRODUCTION, **more}
    command = [sys.executable, "-W", "ignore", *arguments]
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def manage(*arguments, tmp_path, **more):
    return run("manage.py", *arguments, tmp_path=tmp_path, **more)


def test_the_deployment_check_is_clean(tmp_path):
    done = manage("check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


def test_a_database_that_vanishes_is_given_up_and_options_of_its_address_count(tmp_path):
    address = f"{PRODUCTION['DATABASE_URL']}?tcp_user_timeout=5000&sslmode=require"
    script = "from django.db import connection; print(connection.get_connection_params())"
    done = run("-c", script, tmp_path=tmp_path, DATABASE_URL=address)
    for text in ("'tcp_user_timeout': 5000", "'sslmode': 'require'", "'keepalives_idle': 30"):
        assert text in done.stdout, done


@pytest.mark.parametrize("missing", ["SECRET_KEY"])
def test_it_does_not_start_without_a_required_setting(tmp_path, missing):
    done = manage("check", tmp_path=tmp_path, **{missing: ""})
    assert done.returncode != 0
    assert f"{missing} is not set" in done.stderr


def test_an_invalid_log_format_is_reported(tmp_path):
    done = manage("check", tmp_path=tmp_path, LOG_FORMAT="xml")
    assert "LOG_FORMAT must be “json” or “line”" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("VAPID_PRIVATE_KEY", "short", "VAPID_PRIVATE_KEY must be a private key on P-256"),
        ("VAPID_CONTACT", "admin@example.org", "VAPID_CONTACT must start with mailto: or https://."),
    ],
)
def test_an_invalid_setting_of_push_is_reported(tmp_path, name, value, error):
    done = manage("check", tmp_path=tmp_path, **{name: value})
    assert done.returncode != 0
    assert error in done.stderr
