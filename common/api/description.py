"""The API's own OpenAPI description."""

import threading
from functools import cache
from typing import Any

# drf-spectacular loads its extensions at the first use, and fails in a second thread that needs them meanwhile.
DESCRIPTION_LOCK = threading.Lock()


def openapi_description() -> dict[str, Any]:
    """Return the description, generated once a process. Callers must not change it."""
    with DESCRIPTION_LOCK:
        return _generate()


@cache
def _generate() -> dict[str, Any]:
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  # it imports the views, which import their parsers

    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
