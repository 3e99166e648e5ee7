"""The API documentation page, rendered from the OpenAPI description."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from common.api.description import openapi_description
from people.requests import SignedInRequest

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation or a property of an object."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    """An API operation; `body` names the schema of its request, `responses` are (status, description, schema name)."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: str
    responses: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """The operations with one tag."""

    name: str
    description: str
    operations: list[Operation]

    @property
    def anchor(self) -> str:
        """The fragment of the section's URL."""
        return slugify(self.name)


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """A JSON object that operations accept or return."""

    name: str
    description: str
    fields: tuple[Field, ...]


@require_safe
def docs(request: SignedInRequest) -> HttpResponse:
    """Show every operation by tag, and the schemas of their requests and responses."""
    schema = openapi_description()
    sections = {tag["name"]: Section(tag["name"], tag["description"], []) for tag in schema["tags"]}
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                sections[operation["tags"][0]].operations.append(_operation(path, method, operation))
    schemas = [
        ObjectSchema(name, component.get("description", ""), _fields(component["properties"]))
        for name, component in schema["components"]["schemas"].items()
        if "properties" in component and not name.startswith("Paginated")
    ]
    return render(request, "api/docs.html", {"sections": list(sections.values()), "schemas": schemas})


def _operation(path: str, method: str, operation: dict[str, Any]) -> Operation:
    return Operation(
        method=method.upper(),
        path=path,
        anchor=operation["operationId"],
        summary=operation["summary"],
        description=operation.get("description", ""),
        parameters=tuple(
            Field(parameter["name"], _type_name(parameter.get("schema", {})), parameter.get("description", ""))
            for parameter in operation.get("parameters", ())
        ),
        body=_content_type_name(operation.get("requestBody", {})),
        responses=tuple(
            (status, response.get("description", ""), _content_type_name(response))
            for status, response in operation["responses"].items()
        ),
    )


def _fields(properties: dict[str, Any]) -> tuple[Field, ...]:
    return tuple(Field(name, _type_name(schema), schema.get("description", "")) for name, schema in properties.items())


def _content_type_name(body: dict[str, Any]) -> str:
    """Return the type of a request's or response's first content type, or ""."""
    return next((_type_name(content["schema"]) for content in body.get("content", {}).values()), "")


def _type_name(schema: dict[str, Any]) -> str:
    """Return a short name of a schema's type, such as "list of Check" or "date or null"."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"list of {_type_name(schema['items'])}"
    for keyword in ("allOf", "oneOf", "anyOf"):
        if keyword in schema:
            return " or ".join(_type_name(part) for part in schema[keyword])
    name = str(schema.get("format", schema.get("type", "any")))
    if "enum" in schema:
        name = " or ".join("null" if value is None else str(value) for value in schema["enum"])
    return f"{name} or null" if schema.get("nullable") else name
