"""Encrypted fields and key rotation."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from common.crypto import DecryptionError, decrypt, encrypt
from notifications.models import ContactMethod
from oncall_site.services import encrypted_columns
from scheduling.models import CalendarLink
from validation.models import DataSource

OLD, NEW = ["old key"], ["new key", "old key"]


@pytest.fixture
def link(a):
    with override_settings(FIELD_KEYS=OLD):
        return CalendarLink.objects.create(engineer=a, address="https://example.org/a.ics", host="example.org")


@pytest.fixture
def factor(b):
    with override_settings(FIELD_KEYS=OLD):
        data = {"secret": encrypt("JBSWY3DPEHPK3PXP"), "more": "as it was"}
        return Authenticator.objects.create(user=b, type=Authenticator.Type.TOTP, data=data)


def test_the_old_key_can_be_removed_after_reencryption(link, factor, capsys):
    with override_settings(FIELD_KEYS=NEW):
        call_command("reencrypt")
    assert "2 secrets" in capsys.readouterr().out
    factor.refresh_from_db()
    with override_settings(FIELD_KEYS=NEW[:1]):
        link.refresh_from_db()
        assert link.address == "https://example.org/a.ics"
        assert decrypt(factor.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert factor.data["more"] == "as it was"
    [row] = CalendarLink.objects.all()
    with override_settings(FIELD_KEYS=OLD), pytest.raises(DecryptionError):
        _ = row.address


def test_a_missing_key_changes_nothing(link, factor):
    with override_settings(FIELD_KEYS=["another key"]), pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reencrypt")
    with override_settings(FIELD_KEYS=OLD):
        link.refresh_from_db()
        assert link.address == "https://example.org/a.ics"


def test_every_encrypted_field_is_reencrypted():
    assert {(CalendarLink, "address"), (ContactMethod, "address"), (DataSource, "address")} <= set(encrypted_columns())


def test_a_dump_contains_the_ciphertext_only(link):
    [stored] = CalendarLink.objects.values_list("address", flat=True)
    assert "example.org" not in stored
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM scheduling_calendarlink")
        assert cursor.fetchone() == (stored,)


def test_a_row_can_be_listed_and_saved_without_its_key(link):
    with override_settings(FIELD_KEYS=["another key"]):
        [row] = CalendarLink.objects.all()
        row.host = "example.net"
        row.save()
    with override_settings(FIELD_KEYS=OLD):
        link.refresh_from_db()
        assert link.host == "example.net"
        assert link.address == "https://example.org/a.ics"


def test_a_changed_value_is_encrypted_with_the_first_key(link):
    with override_settings(FIELD_KEYS=NEW):
        link.address = "https://example.org/b.ics"
        link.save()
        CalendarLink.objects.filter(pk=link.pk).update(host="x")
    with override_settings(FIELD_KEYS=NEW[:1]):
        link.refresh_from_db()
        assert link.address == "https://example.org/b.ics"
