"""Promise 25: what docs/operations.md says of backup and restore gives the same site, and nothing is sent again."""

import contextlib
import datetime as dt
import io
import os
import subprocess
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from handbook.services import import_handbook
from notifications.models import Message
from oncall_site.local.postgres import program
from people.models import User
from tests.databases import use_database
from tests.faults.web import ROOT, database_url

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), pytest.mark.django_db(transaction=True)]

SEED = ROOT / "examples" / "handbook.md"
HOUR = dt.timedelta(hours=1)


def contents(url):
    """Return a digest of every row of every table, and where every sequence stands."""
    actual = {}
    with contextlib.closing(psycopg2.connect(url)) as other, other.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relkind FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S')"
        )
        for name, kind in cursor.fetchall():
            if kind == "S":
                cursor.execute(f'SELECT last_value, is_called FROM "{name}"')  # noqa: S608  # names of our own catalogue
            else:
                cursor.execute(
                    f'SELECT count(*), md5(string_agg(row::text, chr(10) ORDER BY row::text)) FROM "{name}" AS row'  # noqa: S608  # names of our own catalogue
                )
            actual[name] = cursor.fetchone()
    return actual


def fill(*, messages):
    """Create a site with a handbook, and an outbox of sent, due and future messages."""
    import_handbook(SEED.read_bytes(), at=timezone.now())
    person = User.objects.order_by("pk").first()
    User.objects.filter(pk=person.pk).update(email="one@example.org")
    at = timezone.now()
    given = {"recipient": person, "type": "backup", "subject": "S", "text": "T"}
    for number in range(messages):
        state = ("sent", "pending", "pending")[number % 3]
        due = at + 2 * HOUR if number % 3 == 2 else at - HOUR / 6
        Message.objects.create(
            dedup_key=str(number),
            state=state,
            sent_at=at if state == "sent" else None,
            due_at=due,
            expires_at=due + HOUR,
            **given,
        )


@contextlib.contextmanager
def site_of(name, *, folder):
    """Connect Django to another database of the server, and write its mails to a folder."""
    original = connection.settings_dict["NAME"]
    backend = "django.core.mail.backends.filebased.EmailBackend"
    use_database(name)
    try:
        with override_settings(EMAIL_BACKEND=backend, EMAIL_FILE_PATH=folder):
            yield
    finally:
        use_database(original)


def manage(*arguments, **options):
    """Return the output of a command of `manage.py`."""
    output = io.StringIO()
    call_command(*arguments, stdout=output, **options)
    return output.getvalue()


def check_backup(folder, *, messages):
    """Back a site up and restore it beside itself: the same rows, and a delivery sends nothing that may have been sent."""
    fill(messages=messages)
    dump, name = folder / "oncall.dump", f"restored_{os.getpid()}"
    restored = urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl()
    subprocess.run([program("pg_dump"), "--format=custom", f"--file={dump}", database_url()], check=True)
    with contextlib.closing(psycopg2.connect(settings.DATABASE_URL)) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            cursor.execute(f"CREATE DATABASE {name}")
            try:
                command = [program("pg_restore"), "--no-owner", "--exit-on-error", f"--dbname={restored}", str(dump)]
                subprocess.run(command, check=True)
                before = contents(database_url())
                assert contents(restored) == before
                assert before["scheduling_rotationweek"][0] > 20
                with site_of(name, folder=folder / "mail"):
                    assert f"{len(range(1, messages, 3))} messages" in manage("restored")
                    manage("migrate", check_unapplied=True)
                    manage("deliver")
                assert not list((folder / "mail").glob("*")), "something was sent again"
                with contextlib.closing(psycopg2.connect(restored)) as other, other.cursor() as rows:
                    rows.execute("SELECT state, count(*) FROM notifications_message GROUP BY state")
                    counts = dict(rows.fetchall())
                expected = {"sent": len(range(0, messages, 3)), "dropped": len(range(1, messages, 3))}
                assert counts == {**expected, "pending": len(range(2, messages, 3))}
                assert contents(database_url()) == before, "the site that was backed up is as it was"
            finally:
                cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return f"{len(before)} tables and sequences the same; none of {messages:,} messages sent again"


def test_a_backup_restored_is_the_same_site_and_sends_nothing_again(tmp_path):
    check_backup(tmp_path, messages=30)
