"""Encrypted columns of all apps, for key rotation."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db import models

from common.crypto import SEALED_MARK
from pipelines.queries import base_manager

# Keys of `Authenticator.data` that django-allauth encrypts through our adapter.
AUTHENTICATOR_SECRETS = ("secret", "seed")


def encrypted_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Yield each encrypted text column: its help text begins with SEALED_MARK."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:  # noqa: SLF001  # _meta is documented API of Django
            if isinstance(field, models.TextField) and field.help_text.startswith(SEALED_MARK):
                yield model, field.name


def encrypted_values(model: type[models.Model], column: str) -> Iterator[tuple[Any, str]]:
    """Yield the primary key and the ciphertext of each row that has one."""
    yield from base_manager(model).exclude(**{column: ""}).order_by("pk").values_list("pk", column)
