"""Every sealed column of the site, in one place: what is sealed anew when FIELD_KEYS is rotated."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db import models

from common.crypto import SEALED_MARK
from pipelines.queries import base_manager

# The keys of an authenticator's data that django-allauth seals through our adapter.
SEALED_DATA = ("secret", "seed")


def sealed_columns() -> Iterator[tuple[type[models.Model], str]]:
    """Yield each column of sealed text: its help text begins with SEALED_MARK, by which a room's table joins."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:  # noqa: SLF001  # _meta is documented API of Django
            if isinstance(field, models.TextField) and field.help_text.startswith(SEALED_MARK):
                yield model, field.name


def sealed_texts(model: type[models.Model], column: str) -> Iterator[tuple[Any, str]]:
    """Yield the key and the sealed text of each row that has one."""
    yield from base_manager(model).exclude(**{column: ""}).order_by("pk").values_list("pk", column)


def authenticators() -> Iterator[Authenticator]:
    """Yield every second factor that somebody has enrolled."""
    yield from Authenticator.objects.order_by("pk")
