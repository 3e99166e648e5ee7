"""Rejects request bodies with fields that the OpenAPI description does not have."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError

PARAMETER = re.compile(r"\{\w+\}")


@cache
def described_fields() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the fields of each operation's body by method and path; operations with any fields are left out.

    Fields of the response are included: a client may send back what it read.
    """
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415  # it imports the views, which import the parser

    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    components = schema["components"]["schemas"]
    described = {}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            fields = _fields(operation.get("requestBody", {}), components)
            if fields:
                responses = (_fields(answer, components) for answer in operation["responses"].values())
                described[method.upper(), PARAMETER.sub("{}", path)] = fields.union(*responses)
    return described


def _fields(body: Mapping[str, Any], components: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of a request or response; none if its schema does not name them."""
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("type") == "array":
        schema = schema["items"]
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return frozenset() if "additionalProperties" in schema else frozenset(schema.get("properties", ()))


def check_unknown_fields(document: object, *, method: str, route: str) -> None:
    """Raise ValidationError, by field, if a body has fields that the operation at this URL route does not describe."""
    from drf_spectacular.generators import EndpointEnumerator  # noqa: PLC0415  # as above

    path = EndpointEnumerator().get_path_from_regex(route)  # type: ignore[no-untyped-call]
    known = described_fields().get((method, PARAMETER.sub("{}", path)))
    if known is None:
        return
    rows = document if isinstance(document, list) else [document]
    unknown = {name for row in rows if isinstance(row, dict) for name in row if name not in known}
    if unknown:
        raise ValidationError({name: ["Unknown field."] for name in sorted(unknown)})
