"""Encryption of push messages, against the examples of the RFCs and against http-ece as an independent reader."""

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from notifications.channels.push.encryption import (
    CURVE,
    MAX_PLAINTEXT_BYTES,
    RECORD_BYTES,
    KeyFormatError,
    check_keys,
    decode,
    encode,
    encrypt_for_browser,
    encrypt_records,
    public_bytes,
)
from tests.each import each

# RFC 8291, section 5 and appendix A.
RECEIVER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
RECEIVER_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SENDER_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
WATERMELON = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95b"
    "Qpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private_key(text):
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), CURVE)


def test_the_example_of_rfc_8188_with_one_record():
    body = encrypt_records(
        b"I am the walrus", secret=decode("yqdlZ-tYemfogSmv7Ws5PQ"), salt=decode("I1BsxtFttlv3u_Oo94xnmw")
    )
    assert encode(body) == "I1BsxtFttlv3u_Oo94xnmwAAEAAA-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg"


def test_the_example_of_rfc_8188_with_two_records_and_padding():
    body = encrypt_records(
        b"I am the walrus",
        secret=decode("BO3ZVPxUlnLORbVGMpbT1Q"),
        salt=decode("uNCkWiNYzKTnBN9ji3-qWA"),
        key_id=b"a1",
        record_bytes=25,
        first_padding=1,
    )
    assert encode(body) == (
        "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA"
    )


def test_the_example_of_rfc_8291():
    body = encrypt_for_browser(
        b"When I grow up, I want to be a watermelon",
        p256dh=RECEIVER_PUBLIC,
        auth=AUTH,
        private_key=private_key(SENDER_PRIVATE),
        salt=decode("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert encode(body) == WATERMELON


@pytest.mark.parametrize("length", [0, 1, 100, MAX_PLAINTEXT_BYTES])
def test_a_browser_reads_what_was_encrypted_for_it(length):
    browser, plaintext = ec.generate_private_key(CURVE), b"x" * length
    auth = b"0123456789abcdef"
    body = encrypt_for_browser(plaintext, p256dh=encode(public_bytes(browser.public_key())), auth=encode(auth))
    assert http_ece.decrypt(body, private_key=browser, auth_secret=auth, version="aes128gcm") == plaintext
    assert len(body) <= RECORD_BYTES


def test_the_longest_payload_fills_the_body_that_every_push_service_takes():
    body = encrypt_for_browser(b"x" * MAX_PLAINTEXT_BYTES, p256dh=RECEIVER_PUBLIC, auth=AUTH)
    assert len(body) == RECORD_BYTES


def test_key_and_salt_are_new_for_each_message():
    one, two = (encrypt_for_browser(b"same", p256dh=RECEIVER_PUBLIC, auth=AUTH) for _ in range(2))
    assert one[:16] != two[:16]
    assert one[21:86] != two[21:86]


@pytest.mark.parametrize("length", [1, 16, 17, 1000])
def test_several_records_are_read_back(length):
    plaintext, secret, salt = bytes(range(256)) * 4, b"k" * 16, b"s" * 16
    body = encrypt_records(plaintext[:length], secret=secret, salt=salt, record_bytes=33)
    assert http_ece.decrypt(body, key=secret, version="aes128gcm") == plaintext[:length]


@each(
    ("p256dh", "auth", "named"),
    [
        ("", AUTH, "p256dh"),
        ("é", AUTH, "p256dh"),
        ("AAAA", AUTH, "p256dh"),
        (encode(b"\x04" + b"\x01" * 64), AUTH, "p256dh"),
        (RECEIVER_PUBLIC, "", "auth"),
        (RECEIVER_PUBLIC, "AAAA", "auth"),
        (RECEIVER_PUBLIC, "!" * 22, "auth"),
    ],
)
def test_a_wrong_key_is_named(p256dh, auth, named):
    with pytest.raises(KeyFormatError, match=f"^{named} must be"):
        check_keys(p256dh=p256dh, auth=auth)


def test_keys_with_padding_are_accepted():
    check_keys(p256dh=RECEIVER_PUBLIC + "=", auth=AUTH + "==")
