"""The site's account at the provider of SMS and calls: from the settings, or else from the database."""

from dataclasses import dataclass

from django.conf import settings

from notifications.models import PhoneAccount


@dataclass(frozen=True, slots=True)
class Account:
    """An account at Twilio: its SID, its secret, and the number that messages come from."""

    sid: str
    token: str
    number: str


def phone_account() -> Account | None:
    """Return the account, or None if the site has none. Raises common.crypto.DecryptionError."""
    if settings.TWILIO_ACCOUNT_SID:
        return Account(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM_NUMBER)
    row = PhoneAccount.objects.first()
    return Account(row.account_sid, row.auth_token, row.from_number) if row else None


def has_phone_account() -> bool:
    """Return True if the site has an account."""
    return bool(settings.TWILIO_ACCOUNT_SID) or PhoneAccount.objects.exists()
