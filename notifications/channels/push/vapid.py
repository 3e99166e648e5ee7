"""Identification of the site to push services: RFC 8292 (VAPID), a signed token in the Authorization header."""

import datetime as dt
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from notifications.channels.push.encryption import CURVE, decode, encode, public_bytes

# At most 24 hours (RFC 8292, section 2); half of it tolerates clocks that differ.
TOKEN_LIFETIME = dt.timedelta(hours=12)
SCALAR_BYTES = 32


class VapidKeyError(ValueError):
    """The private key is not valid."""


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The key pair of the site."""

    private: ec.EllipticCurvePrivateKey

    @property
    def private_text(self) -> str:
        """The private key as base64url text, the form that VAPID tools use."""
        return encode(self.private.private_numbers().private_value.to_bytes(SCALAR_BYTES, "big"))

    @property
    def public_text(self) -> str:
        """The public key as base64url text, which browsers need as `applicationServerKey`."""
        return encode(public_bytes(self.private.public_key()))

    def authorization(self, endpoint: str, *, contact: str, at: dt.datetime) -> str:
        """Return the Authorization header for an endpoint; `contact` is a mailto: or https: URL."""
        origin = "{0.scheme}://{0.netloc}".format(urlsplit(endpoint))
        claims = {"aud": origin, "exp": int((at + TOKEN_LIFETIME).timestamp()), "sub": contact}
        head = encode(_json({"typ": "JWT", "alg": "ES256"}))
        signed = f"{head}.{encode(_json(claims))}"
        r, s = decode_dss_signature(self.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(SCALAR_BYTES, "big") + s.to_bytes(SCALAR_BYTES, "big")
        return f"vapid t={signed}.{encode(signature)},k={self.public_text}"


def new_site_key() -> SiteKey:
    """Return a new key pair."""
    return SiteKey(ec.generate_private_key(CURVE))


def load_site_key(text: str) -> SiteKey:
    """Return the key pair of a private key as base64url text; raise VapidKeyError."""
    try:
        number = decode(text)
        if len(number) != SCALAR_BYTES:
            raise ValueError  # noqa: TRY301  # one sentence for whatever is wrong
        return SiteKey(ec.derive_private_key(int.from_bytes(number, "big"), CURVE))
    except ValueError as error:
        raise VapidKeyError("The VAPID private key must be 32 bytes, as base64url text.") from error


def _json(claims: dict[str, object]) -> bytes:
    return json.dumps(claims, separators=(",", ":")).encode()
