"""The API's own OpenAPI description."""

import threading
from functools import cache
from typing import Any

# drf-spectacular loads its extensions at the first use, and fails in a second thread that needs them meanwhile.
DESCRIPTION_LOCK = threading.Lock()


@cache
def openapi_description() -> dict[str, Any]:
    """Return the description, which the process keeps. Callers must not change it."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  # it imports the views, which import their parsers

    with DESCRIPTION_LOCK:
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema
