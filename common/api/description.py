"""The API's own OpenAPI description."""

from functools import cache
from typing import Any


@cache
def openapi_description() -> dict[str, Any]:
    """Return the description, generated once a process. Callers must not change it."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  # it imports the views, which import their parsers

    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
