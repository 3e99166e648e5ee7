"""Keys are rotated: what was sealed with an old one is sealed anew, and the old one can go."""

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import override_settings

from common.crypto import DecryptionError, decrypt, encrypt
from oncall_site.encrypted_columns import encrypted_columns
from scheduling.models import CalendarLink

OLD, NEW = ["old key"], ["new key", "old key"]


@pytest.fixture
def link(a):
    with override_settings(FIELD_KEYS=OLD):
        return CalendarLink.objects.create(engineer=a, address=encrypt("https://example.org/a.ics"), host="example.org")


@pytest.fixture
def factor(b):
    with override_settings(FIELD_KEYS=OLD):
        data = {"secret": encrypt("JBSWY3DPEHPK3PXP"), "more": "as it was"}
        return Authenticator.objects.create(user=b, type=Authenticator.Type.TOTP, data=data)


def test_after_reencryption_the_old_key_can_go(link, factor, capsys):
    with override_settings(FIELD_KEYS=NEW):
        call_command("reencrypt")
    assert "2 secrets" in capsys.readouterr().out
    link.refresh_from_db()
    factor.refresh_from_db()
    with override_settings(FIELD_KEYS=NEW[:1]):
        assert decrypt(link.address) == "https://example.org/a.ics"
        assert decrypt(factor.data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert factor.data["more"] == "as it was"
    with override_settings(FIELD_KEYS=OLD), pytest.raises(DecryptionError):
        decrypt(link.address)


def test_where_a_key_is_missing_nothing_is_changed(link, factor):
    with override_settings(FIELD_KEYS=["another key"]), pytest.raises(CommandError, match="Nothing was changed"):
        call_command("reencrypt")
    before = link.address
    link.refresh_from_db()
    assert link.address == before


def test_the_columns_of_sealed_text_are_found_by_what_they_say_of_themselves():
    assert (CalendarLink, "address") in set(encrypted_columns())
