"""Encryption of a push message for one browser: RFC 8188 (aes128gcm) with the keys of RFC 8291."""

import base64
import binascii
import os
import struct

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CURVE = ec.SECP256R1()
SALT_BYTES, AUTH_BYTES, TAG_BYTES = 16, 16, 16
KEY_BYTES, NONCE_BYTES, SECRET_BYTES = 16, 12, 32
# An uncompressed point of P-256 (SEC 1, section 2.3.3).
POINT_BYTES = 65
RECORD_BYTES = 4096
# A push service must take a body of 4,096 bytes (RFC 8030, section 7.2): the header of RFC 8188 with our public key as its key
# identifier, and one record that ends with a delimiter and the tag.
HEADER_BYTES = SALT_BYTES + 5 + POINT_BYTES
MAX_PLAINTEXT_BYTES = RECORD_BYTES - HEADER_BYTES - TAG_BYTES - 1
MORE_RECORDS, LAST_RECORD = b"\x01", b"\x02"


class KeyFormatError(ValueError):
    """A key of a browser is not valid; the text says which."""


def decode(text: str) -> bytes:
    """Return the bytes of base64url text with or without padding (RFC 7515, section 2); raise ValueError."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("This is not base64url text.") from error


def encode(data: bytes) -> str:
    """Return base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as an uncompressed point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def check_keys(*, p256dh: str, auth: str) -> None:
    """Raise KeyFormatError unless the two keys of a subscription are a point on P-256 and 16 bytes."""
    _receiver_key(p256dh)
    _auth_secret(auth)


def encrypt_for_browser(
    plaintext: bytes,
    *,
    p256dh: str,
    auth: str,
    private_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """Return the body of a push message, one record (RFC 8291, section 4). Key and salt are new for each; tests set them."""
    receiver, sender = _receiver_key(p256dh), private_key or ec.generate_private_key(CURVE)
    sender_point = public_bytes(sender.public_key())
    info = b"WebPush: info\0" + public_bytes(receiver) + sender_point
    secret = _derive(sender.exchange(ec.ECDH(), receiver), salt=_auth_secret(auth), info=info, length=SECRET_BYTES)
    return encrypt_records(plaintext, secret=secret, key_id=sender_point, salt=salt or os.urandom(SALT_BYTES))


def encrypt_records(
    plaintext: bytes,
    *,
    secret: bytes,
    salt: bytes,
    key_id: bytes = b"",
    record_bytes: int = RECORD_BYTES,
    first_padding: int = 0,
) -> bytes:
    """Return content in the coding aes128gcm (RFC 8188, section 2), with zeros that pad the first record."""
    key = _derive(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=KEY_BYTES)
    nonce = _derive(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=NONCE_BYTES)
    body = salt + struct.pack("!IB", record_bytes, len(key_id)) + key_id
    room, start, number = record_bytes - TAG_BYTES - 1, 0, 0
    while True:
        padding = first_padding if number == 0 else 0
        end = start + room - padding
        delimiter = LAST_RECORD if end >= len(plaintext) else MORE_RECORDS
        record = plaintext[start:end] + delimiter + b"\0" * padding
        body += AESGCM(key).encrypt(_record_nonce(nonce, number), record, None)
        if delimiter == LAST_RECORD:
            return body
        start, number = end, number + 1


def _record_nonce(nonce: bytes, number: int) -> bytes:
    """Return the nonce of a record: the first one, XOR its number (RFC 8188, section 2.3)."""
    return (int.from_bytes(nonce, "big") ^ number).to_bytes(NONCE_BYTES, "big")


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _receiver_key(p256dh: str) -> ec.EllipticCurvePublicKey:
    try:
        point = decode(p256dh)
        if len(point) == POINT_BYTES:
            return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError:
        pass
    raise KeyFormatError("p256dh must be a public key on the curve P-256, as base64url text.")


def _auth_secret(auth: str) -> bytes:
    try:
        secret = decode(auth)
    except ValueError:
        secret = b""
    if len(secret) != AUTH_BYTES:
        raise KeyFormatError(f"auth must be {AUTH_BYTES} bytes, as base64url text.")
    return secret
