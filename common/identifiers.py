"""Patterns of the identifiers in URLs, in the API and in the database; each is defined here only."""

from django.core.validators import RegexValidator

ID_PATTERN = "[0-9]{1,15}"
MAX_ID = 10**15 - 1
SLUG_PATTERN = "[a-z0-9]+(?:-[a-z0-9]+)*"
USERNAME_PATTERN = "[a-z0-9]+(?:[._-][a-z0-9]+)*"

validate_slug = RegexValidator(
    rf"\A{SLUG_PATTERN}\Z", "A slug has lower-case letters and digits, with single dashes between them."
)
validate_username = RegexValidator(
    rf"\A{USERNAME_PATTERN}\Z",
    "A user name has lower-case letters and digits, with single dots, dashes or underscores between them.",
)
