"""Rejects request bodies with fields that the OpenAPI description does not have."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework.exceptions import ValidationError

from common.api.description import openapi_description

PARAMETER = re.compile(r"\{\w+\}")


@cache
def described_fields() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the fields of each operation's body by method and path; operations with any fields are left out.

    Fields of the response are included: a client may send back what it read.
    """
    schema = openapi_description()
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


@cache
def _described_path(route: str) -> str:
    """Return the path of a URL route as in `described_fields`."""
    from drf_spectacular.generators import EndpointEnumerator  # noqa: PLC0415  # it imports the views, which import the parser

    path: str = EndpointEnumerator().get_path_from_regex(route)  # type: ignore[no-untyped-call]
    return PARAMETER.sub("{}", path)


def check_unknown_fields(document: object, *, method: str, route: str) -> None:
    """Raise ValidationError, by field, if a body has fields that the operation at this URL route does not describe."""
    known = described_fields().get((method, _described_path(route)))
    if known is None:
        return
    rows = document if isinstance(document, list) else [document]
    unknown = {name for row in rows if isinstance(row, dict) for name in row if name not in known}
    if unknown:
        raise ValidationError({name: ["Unknown field."] for name in sorted(unknown)})
