"""OpenAPI description: tags, summaries, and the error responses of every operation."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.permissions import SAFE_METHODS

# First word of the path after /api/v1/: tag. SPECTACULAR_SETTINGS["TAGS"] describes the tags.
TAGS = {
    "oncall": "On call",
    "responders": "On call",
    "rotations": "On call",
    "holidays": "Time off",
    "calendar-link": "Time off",
    "swaps": "Swaps and covers",
    "covers": "Swaps and covers",
    "cover-requests": "Swaps and covers",
    "handoffs": "Hand-offs",
    "action-items": "Hand-offs",
    "incidents": "Incidents",
    "alerts": "Incidents",
    "reports": "Incidents",
    "maintenance-windows": "Incidents",
    "integration-keys": "Integrations",
    "pipelines": "Pipelines",
    "readers-links": "Pipelines",
    "restatements": "Pipelines",
    "runbooks": "Runbooks",
    "checks": "Checks and metrics",
    "results": "Checks and metrics",
    "metrics": "Checks and metrics",
    "runs": "Checks and metrics",
    "known-events": "Checks and metrics",
    "external-checks": "Checks and metrics",
    "dbt-nodes": "Pipelines",
    "owner-drift": "Pipelines",
    "integrations": "Integrations",
    "people": "People",
    "me": "Account",
    "messages": "Account",
    "feeds": "Account",
}
# Summaries of the actions that viewsets inherit from Django REST framework, if they have no docstring.
ACTION_SUMMARIES = {
    "list": "List {plural}.",
    "retrieve": "Retrieve {article} {singular}.",
    "create": "Create {article} {singular}.",
    "update": "Replace {article} {singular}.",
    "partial_update": "Update {article} {singular}.",
    "destroy": "Delete {article} {singular}.",
}
# A page that does not exist is a 404.
PAGE_PARAMETER = "page"
ERRORS = {
    "Error": {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    "FieldErrors": {
        "type": "object",
        "description": "Error messages by field.",
        "additionalProperties": {
            "anyOf": [
                {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "object"}]}},
                {"type": "object"},
            ]
        },
    },
}
DESCRIPTIONS = {
    "400": "Invalid input",
    "401": "Not authenticated",
    "403": "Not allowed",
    "404": "Not found",
    "409": "Conflict with the current state",
    "422": "Idempotency key used for another request",
    "429": "Too many requests",
}
IDEMPOTENCY_HEADERS = [
    OpenApiParameter(
        "Idempotency-Key",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        description="A new key for each request, such as a UUID. The same request with the same key within 24 hours has no "
        "further effect and returns the same response; another request with the same key is a 422.",
    ),
    OpenApiParameter(
        "Idempotency-Replayed",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[200, 201, 202, 204],
        enum=["true"],
        description="Present if the request was processed before and this is its saved response.",
    ),
]


class ApiSchema(AutoSchema):
    """Adds tags, summaries and error responses to drf-spectacular's description of an operation."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers of idempotent requests, which every POST takes."""
        parameters: list[Any] = super().get_override_parameters()
        return [*parameters, *IDEMPOTENCY_HEADERS] if self.method == "POST" and not self._is_callback() else parameters

    def get_filter_backends(self) -> list[Any]:
        """Return the filters of a list. Other actions of its viewset, which may list something else, ignore them."""
        return super().get_filter_backends() if getattr(self.view, "action", "list") == "list" else []

    def _is_callback(self) -> bool:
        """Return True for a request that the site sends."""
        return self.path.startswith("$request")

    def get_tags(self) -> list[str]:
        """Return the tag of the path's first word."""
        return [TAGS[self._tokenize_path()[0]]]

    def get_summary(self) -> str:
        """Return the first line of the action's docstring, or a summary of an inherited action."""
        action = getattr(self.view, "action", None)
        doc: str = super().get_description()
        handler = getattr(type(self.view), action or "", None)
        if action in ACTION_SUMMARIES and not getattr(handler, "__doc__", None):
            plural = next(word for word in reversed(self.path.split("/")) if word and "{" not in word).replace("-", " ")
            singular = "person" if plural == "people" else plural.removesuffix("s")
            article = "an" if singular[0] in "aeiou" else "a"
            return ACTION_SUMMARIES[action].format(plural=plural, singular=singular, article=article)
        return doc.split("\n", 1)[0]

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular changed the signature
        """Return the rest of the docstring, without the summary."""
        doc: str = super().get_description()
        return "" if doc.strip() == self.get_summary() else doc.partition("\n")[2].strip() or doc

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        """Return the responses of the operation, with the errors that it can return."""
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        for code in {*self._error_codes(), *(code for code in responses if code in DESCRIPTIONS)}:
            declared = responses.get(code, {})
            if "content" not in declared:
                description = declared.get("description") if code in responses else ""
                responses[code] = self._error_response(code, description=description)
        return dict(sorted(responses.items()))

    def _error_codes(self) -> list[str]:
        parameters = {parameter["name"] for parameter in self._get_parameters() if parameter["in"] == "query"} - {
            PAGE_PARAMETER
        }
        is_unsafe = self.method not in SAFE_METHODS
        if self._is_callback():
            return []
        conditions = {
            "400": bool(parameters) or bool(self._get_request_body()) or self.method == "POST",
            "401": True,
            "403": True,
            "404": "{" in self.path or (not is_unsafe and self._get_paginator() is not None and self._is_list_view()),
            "409": is_unsafe,
            "422": self.method == "POST",
            "429": True,
        }
        return [code for code, applies in conditions.items() if applies]

    def _error_response(self, code: str, *, description: str | None) -> dict[str, Any]:
        names = ["Error", "FieldErrors"] if code == "400" else ["Error"]
        references = [self._component(name).ref for name in names]
        schema = {"anyOf": references} if len(references) > 1 else references[0]
        return {"content": {"application/json": {"schema": schema}}, "description": description or DESCRIPTIONS[code]}

    def _component(self, name: str) -> ResolvedComponent:
        component = ResolvedComponent(
            name=name, type=ResolvedComponent.SCHEMA, schema=ERRORS[name], object=f"{__name__}.{name}"
        )
        self.registry.register_on_missing(component)
        return component
