"""Model fields."""

from typing import Any

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.expressions import Combinable
from django.db.models.query_utils import DeferredAttribute

from common import forms
from common.crypto import decrypt, encrypt
from common.validators import validate_line, validate_text


class LineField(models.CharField[str | Combinable, str]):
    """One line of text (`common.text`). Migrations have Django's own field, because the column is the same."""

    default_validators = [validate_line]

    def deconstruct(self) -> Any:
        """Return the definition of Django's CharField."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs


class MultilineField(models.TextField[str | Combinable, str]):
    """Text of several lines (`common.text`). Migrations have Django's own field, because the column is the same."""

    default_validators = [validate_text]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Django's text fields pass the limit on to forms only.
        if self.max_length is not None:
            self.validators.append(MaxLengthValidator(self.max_length))

    def formfield(self, **kwargs: Any) -> Any:
        """Return a form field that counts a line break as one character."""
        return super().formfield(**{"form_class": forms.MultilineField, **kwargs})

    def deconstruct(self) -> Any:
        """Return the definition of Django's TextField."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs


class Ciphertext(str):
    """A value as it is stored by an EncryptedTextField; `common.crypto.decrypt` returns the plain text."""

    __slots__ = ()


class DecryptedAttribute(DeferredAttribute):
    """Decrypts on access, so that rows can be listed and saved without the key."""

    def __get__(self, instance: models.Model | None, cls: type[models.Model] | None = None) -> Any:
        """Return the plain text; raise common.crypto.DecryptionError if its key is unknown."""
        value = super().__get__(instance, cls)
        return decrypt(value) if isinstance(value, Ciphertext) else value

    def __set__(self, instance: models.Model, value: Any) -> None:
        """Set the plain text. A descriptor without `__set__` would not be asked for values in `__dict__`."""
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField[str, str]):
    """Text that is encrypted in the database with the first of FIELD_KEYS.

    Attributes are plain text. `values()` and `values_list()` return the Ciphertext. Rows cannot be filtered by it, because
    the same text has another ciphertext each time.
    """

    descriptor_class = DecryptedAttribute

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        """Mark the stored value as encrypted, unless it is empty."""
        return Ciphertext(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001  # Django's own signature
        """Return the stored ciphertext of an unchanged attribute, without decrypting it."""
        return model_instance.__dict__[self.attname]

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt plain text."""
        return value if not value or isinstance(value, Ciphertext) else encrypt(str(value))
