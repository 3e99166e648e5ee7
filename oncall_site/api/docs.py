"""The API's documentation as a page of the site, written from its OpenAPI description."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from people.requests import SignedInRequest

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the API."""

    method: str
    path: str
    anchor: str
    says: str
    parameters: tuple[tuple[str, str, str], ...]
    takes: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """A JSON object that calls take or answer, field by field: name, type, what it is."""

    name: str
    says: str
    fields: tuple[tuple[str, str, str], ...]


@require_safe
def docs(request: SignedInRequest) -> HttpResponse:
    """Show every call, by its first word, and the shapes they take and answer."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    chapters: dict[str, list[Call]] = {}
    for path, operations in schema["paths"].items():
        for method in METHODS:
            if method in operations:
                chapters.setdefault(path.split("/")[3], []).append(_call(path, method, operations[method]))
    shapes = [_shape(name, of) for name, of in schema["components"]["schemas"].items() if "properties" in of]
    context = {
        "chapters": sorted(chapters.items()),
        "shapes": [s for s in shapes if not s.name.startswith("Paginated")],
    }
    return render(request, "api/docs.html", context)


def _call(path: str, method: str, operation: dict[str, Any]) -> Call:
    takes = [_type(content["schema"]) for content in operation.get("requestBody", {}).get("content", {}).values()]
    return Call(
        method=method.upper(),
        path=path,
        anchor=operation["operationId"],
        says=operation.get("description", ""),
        parameters=tuple(
            (one["name"], _type(one.get("schema", {})), one.get("description", ""))
            for one in operation.get("parameters", ())
        ),
        takes=takes[0] if takes else "",
        answers=tuple(
            (code, next((_type(content["schema"]) for content in answer.get("content", {}).values()), ""))
            for code, answer in operation["responses"].items()
        ),
    )


def _shape(name: str, of: dict[str, Any]) -> Shape:
    fields = tuple((field, _type(kind), kind.get("description", "")) for field, kind in of["properties"].items())
    return Shape(name=name, says=of.get("description", ""), fields=fields)


def _type(kind: dict[str, Any]) -> str:
    """Return a schema's type in a few words."""
    if "$ref" in kind:
        return str(kind["$ref"]).rpartition("/")[2]
    if kind.get("type") == "array":
        return f"list of {_type(kind['items'])}"
    for joined in ("allOf", "oneOf", "anyOf"):
        if joined in kind:
            return " or ".join(_type(one) for one in kind[joined])
    words = str(kind.get("format", kind.get("type", "anything")))
    if "enum" in kind:
        words = " or ".join("nothing" if one is None else str(one) for one in kind["enum"])
    return f"{words} or null" if kind.get("nullable") else words
