"""Rejects request bodies with fields that the OpenAPI description does not have."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.http import HttpResponseBase
from django.urls import ResolverMatch, re_path
from rest_framework.exceptions import ValidationError

from common.api.description import DESCRIPTION_LOCK

METHODS_WITH_BODY = ("PATCH", "POST", "PUT")


@cache
def described_fields(route: str, view: Callable[..., HttpResponseBase]) -> Mapping[str, frozenset[str]]:
    """Return the fields of the body of each operation at a URL route, by method; operations with any fields are left out.

    Fields of the response are included: a client may send back what it read. The description of one route takes a few
    milliseconds, that of all half a second.
    """
    from drf_spectacular.generators import (  # noqa: PLC0415  # it imports the views, which import the parser
        EndpointEnumerator,
        SchemaGenerator,
    )

    with DESCRIPTION_LOCK:
        endpoints = EndpointEnumerator([re_path(route, view)]).get_api_endpoints()  # type: ignore[no-untyped-call]
        generator = SchemaGenerator()  # type: ignore[no-untyped-call]
        generator.endpoints = [endpoint for endpoint in endpoints if endpoint[2] in METHODS_WITH_BODY]
        schema = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    components = schema.get("components", {}).get("schemas", {})
    described = {}
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            fields = _fields(operation.get("requestBody", {}), components)
            if fields:
                responses = (_fields(answer, components) for answer in operation["responses"].values())
                described[method.upper()] = fields.union(*responses)
    return described


def _fields(body: Mapping[str, Any], components: Mapping[str, Any]) -> frozenset[str]:
    """Return the fields of a request or response; none if its schema does not name them."""
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    if schema.get("type") == "array":
        schema = schema["items"]
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    return frozenset() if "additionalProperties" in schema else frozenset(schema.get("properties", ()))


def check_unknown_fields(document: object, *, method: str, match: ResolverMatch) -> None:
    """Raise ValidationError, by field, if a body has fields that the operation of this URL does not describe."""
    known = described_fields(match.route, match.func).get(method)
    if known is None:
        return
    rows = document if isinstance(document, list) else [document]
    unknown = {name for row in rows if isinstance(row, dict) for name in row if name not in known}
    if unknown:
        raise ValidationError({name: ["Unknown field."] for name in sorted(unknown)})
