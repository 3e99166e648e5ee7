"""The API documentation page, rendered from the OpenAPI description."""

import functools
import json
import re
from dataclasses import dataclass
from typing import Any

import cmarkgfm
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from common.api.description import openapi_description
from common.http import query_param
from people.requests import SignedInRequest

METHODS = ("get", "post", "put", "patch", "delete")
MAX_QUERY_LENGTH = 100
MAX_EXAMPLE_DEPTH = 4
# Paths that end in this only preview what another call would change.
PREVIEW = "/preview/"
# How drf-spectacular lists a choice whose label is its value.
CHOICE_WITHOUT_LABEL = re.compile(r"^\* `(.+)` - \1$", re.MULTILINE)
# Values by format or type.
EXAMPLES: dict[str, Any] = {
    "date": "2026-12-21",
    "date-time": "2026-12-21T10:00:00Z",
    "time": "10:00",
    "email": "ada@example.org",
    "uri": "http://example.org/",
    "string": "text",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter of an operation or a property of an object."""

    name: str
    type: str
    description: str

    @property
    def html(self) -> SafeString:
        """The type, which lists the choices, then the description with only those choices that have a label."""
        description = CHOICE_WITHOUT_LABEL.sub("", self.description).strip()
        if not description:
            return escape(self.type)
        separator = ":\n\n" if description.startswith("* ") else ". "
        return description_html(f"{self.type}{separator}{description}")


@dataclass(frozen=True, slots=True)
class Operation:
    """An API operation; `body` names the schema of its request, `responses` are (status, description, schema name).

    `example` is a command that calls it, `call` is what the page's form needs to send it.
    """

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: str
    responses: tuple[tuple[str, str, str], ...]
    example: str
    call: dict[str, Any]

    @property
    def description_html(self) -> SafeString:
        return description_html(self.description)

    @property
    def can_be_opened(self) -> bool:
        """Return True if a browser can open it as it is."""
        return self.method == "GET" and "{" not in self.path

    def matches(self, words: list[str]) -> bool:
        """Return True if every word is in its path, its texts or the names of its parameters."""
        texts = (self.path, self.summary, self.description, self.body, *(one.name for one in self.parameters))
        text = " ".join(texts).lower()
        return all(word in text for word in words)


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
    """A JSON object that operations accept or return, or the choices of a field."""

    name: str
    description: str
    fields: tuple[Field, ...]

    @property
    def description_html(self) -> SafeString:
        return description_html(self.description)


@functools.lru_cache(maxsize=4096)
def description_html(description: str) -> SafeString:
    """Return a description, which OpenAPI defines as Markdown, as HTML. HTML tags in it are left out."""
    markdown = CHOICE_WITHOUT_LABEL.sub(r"* `\1`", description)
    return SafeString(cmarkgfm.markdown_to_html(markdown))  # nosec B308 B703  # descriptions are in the code


def first_paragraph(description: str) -> str:
    """Return the first paragraph of a description as plain text, or "" if it is a list of choices."""
    text = description.partition("\n\n")[0]
    return "" if text.startswith(("* ", "- ")) else text.replace("`", "")


@require_safe
def docs(request: SignedInRequest) -> HttpResponse:
    """Show every operation by tag, or those with the words in `?q=`, and the schemas of their requests and responses."""
    schema, query = openapi_description(), query_param(request, "q")[:MAX_QUERY_LENGTH].strip()
    site = f"{request.scheme}://{request.get_host()}"
    sections = {tag["name"]: Section(tag["name"], tag["description"], []) for tag in schema["tags"]}
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                operation = methods[method]
                described = _operation(path, method, operation, site=site, components=schema["components"]["schemas"])
                if described.matches(query.lower().split()):
                    sections[operation["tags"][0]].operations.append(described)
    schemas = [
        ObjectSchema(name, component.get("description", ""), _fields(component.get("properties", {})))
        for name, component in schema["components"]["schemas"].items()
        if not name.startswith("Paginated")
    ]
    shown = [section for section in sections.values() if section.operations]
    context = {
        "sections": shown,
        "schemas": [] if query else schemas,
        "query": query,
        "count": sum(len(section.operations) for section in shown),
        "calls": {operation.anchor: operation.call for section in shown for operation in section.operations},
    }
    return render(request, "api/docs.html", context)


def _operation(
    path: str, method: str, operation: dict[str, Any], *, site: str, components: dict[str, Any]
) -> Operation:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = _example(content["schema"], components) if "schema" in content else None
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
        example=_command(method.upper(), f"{site}{path}", body=body),
        call=_call(method.upper(), path, operation, body=body),
    )


def _call(method: str, path: str, operation: dict[str, Any], *, body: Any) -> dict[str, Any]:
    """Return what the page's form needs to send a call: its fields for the path, for the query of a read, and for headers."""
    places = ("path", "query", "header") if method == "GET" else ("path", "header")
    fields = [
        {
            "name": parameter["name"],
            "in": parameter["in"],
            "type": _type_name(parameter.get("schema", {})),
            "help": first_paragraph(parameter.get("description", "")),
            "required": place == "path" or parameter.get("required", False),
        }
        for place in places
        for parameter in operation.get("parameters", ())
        if parameter["in"] == place
    ]
    call = {"method": method, "path": path, "fields": fields, "changes": method != "GET" and not path.endswith(PREVIEW)}
    return call if body is None else call | {"body": body}


def _command(method: str, url: str, *, body: Any) -> str:
    parts = ['curl -H "Authorization: Bearer $TOKEN"']
    if method != "GET":
        parts.append(f"-X {method}")
    if body is not None:
        example = json.dumps(body, ensure_ascii=False)
        parts += ['-H "Content-Type: application/json"', "-d '" + example.replace("'", "'\\''") + "'"]
    return " ".join([*parts, f'"{url}"'])


def _example(schema: dict[str, Any], components: dict[str, Any], *, depth: int = 0) -> Any:
    """Return a value of a schema: its example, default or first choice, or one that its type allows."""
    if "$ref" in schema:
        return _example(components[_type_name(schema)], components, depth=depth)
    for keyword in ("example", "default"):
        if keyword in schema:
            return schema[keyword]
    if "enum" in schema:
        return schema["enum"][0]
    for keyword in ("allOf", "oneOf", "anyOf"):
        if keyword in schema:
            return _example(schema[keyword][0], components, depth=depth)
    if schema.get("type") == "array":
        return [_example(schema["items"], components, depth=depth + 1)] if depth < MAX_EXAMPLE_DEPTH else []
    if "properties" in schema:
        required = set(schema.get("required", ()))
        shown = {name: one for name, one in schema["properties"].items() if not one.get("readOnly")}
        wanted = {name: one for name, one in shown.items() if name in required} or shown
        return {name: _example(one, components, depth=depth + 1) for name, one in wanted.items()}
    return EXAMPLES.get(schema.get("format", ""), EXAMPLES.get(schema.get("type", ""), {}))


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
