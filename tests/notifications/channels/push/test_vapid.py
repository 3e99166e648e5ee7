"""VAPID, against the example of RFC 8292 and against py-vapid as an independent reader."""

import datetime as dt
import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from py_vapid import Vapid02

from notifications.channels.push.encryption import CURVE, decode
from notifications.channels.push.vapid import VapidKeyError, load_site_key, new_site_key
from tests.each import each

NOW = dt.datetime(2026, 11, 29, 14, 0, tzinfo=dt.UTC)
# RFC 8292, section 2.4.
EXAMPLE = (
    "vapid t=eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.eyJhdWQiOiJodHRwczovL3B1c2guZXhhbXBsZS5uZXQiLCJleHAiOjE0NTM1MjM3NjgsInN1Yi"
    "I6Im1haWx0bzpwdXNoQGV4YW1wbGUuY29tIn0.i3CYb7t4xfxCDquptFOepC9GAu_HLGkMlMuCGSK2rpiUfnK9ojFwDXb1JrErtmysazNjjvW2L9OkSSHzvoD1oA, "
    "k=BA1Hxzyi1RUM1b5wjxsn7nGxAszw2u61m164i3MrAIxHF6YK5h4SDYic-dRuU_RCPCfA5aq9ojSwk5Y2EmClBPs"
)


def read(authorization):
    """Return the header and the claims of a token; raise InvalidSignature."""
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    head, claims, signature = parts["t"].split(".")
    raw = decode(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decode(parts["k"]))
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    return json.loads(decode(head)), json.loads(decode(claims))


def test_a_token_has_the_form_of_the_example_of_rfc_8292():
    example = read(EXAMPLE)
    key = new_site_key()
    at = dt.datetime.fromtimestamp(1453523768, dt.UTC) - dt.timedelta(hours=12)
    header = key.authorization("https://push.example.net/push/x?y=1", contact="mailto:push@example.com", at=at)
    assert read(header) == example
    # Everything before the signature is the same text, which another reader may compare.
    assert header.rpartition(",k=")[0].rpartition(".")[0] == EXAMPLE.rpartition(", k=")[0].rpartition(".")[0]


def test_another_implementation_verifies_the_token():
    key = new_site_key()
    header = key.authorization("https://push.example.net:8443/x", contact="https://oncall.example/", at=NOW)
    assert Vapid02.verify(header) is True
    assert read(header)[1] == {
        "aud": "https://push.example.net:8443",
        "exp": int(NOW.timestamp()) + 12 * 3600,
        "sub": "https://oncall.example/",
    }


def test_a_changed_claim_is_noticed():
    header = new_site_key().authorization("https://push.example.net/", contact="mailto:a@example.org", at=NOW)
    head, claims, signature = header.split(".")
    with pytest.raises(InvalidSignature):
        read(f"{head}.{claims[:-2]}AA.{signature}")


def test_a_key_is_stored_as_text_and_read_by_another_implementation():
    key = new_site_key()
    assert load_site_key(key.private_text).public_text == key.public_text
    other = Vapid02.from_raw(key.private_text.encode())
    assert other.public_key.public_numbers() == key.private.public_key().public_numbers()


@each("text", ["", "x", "AAAA", "A" * 43, "é" * 43, "_" * 43])
def test_a_wrong_key_is_refused(text):
    with pytest.raises(VapidKeyError):
        load_site_key(text)
