"""API error responses: `{"detail": …}` or `{field: [messages]}`, with a matching status."""

import re

from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.exceptions import DomainError, InvalidInputError, NotAllowedError

# The message of Django's `get_object_or_404`, which has the name of a class.
MODEL_NOT_FOUND = re.compile(r"No \w+ matches the given query\.")


def handle_exception(error: Exception, context: dict[str, object]) -> Response | None:
    """Return the response for an exception raised in an API view, or None if it is unknown."""
    response = _answer(error, context)
    if response is not None:
        if response.status_code == status.HTTP_403_FORBIDDEN:
            _explain_refusal(response, context)
        response.data = _encodable(response.data)
    return response


def _explain_refusal(response: Response, context: dict[str, object]) -> None:
    """Add what the request's token lacks to the detail of a refusal."""
    # Not `auth`, which would authenticate again, and fail again, if that was refused.
    hint = getattr(getattr(context.get("request"), "_auth", None), "refusal_hint", "")
    if hint and isinstance(response.data, dict):
        response.data["detail"] = f"{response.data['detail']} {hint}"


def _answer(error: Exception, context: dict[str, object]) -> Response | None:
    if isinstance(error, InvalidInputError):
        return Response(error.problems, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, NotAllowedError):
        return Response({"detail": str(error)}, status=status.HTTP_403_FORBIDDEN)
    if isinstance(error, DomainError):
        return Response({"detail": str(error), **error.details}, status=status.HTTP_409_CONFLICT)
    if isinstance(error, DjangoValidationError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages})
    if isinstance(error, Http404) and MODEL_NOT_FOUND.fullmatch(str(error)):
        error = NotFound()
    response = exception_handler(error, context)
    if response is not None and isinstance(response.data, list):
        response.data = {"detail": " ".join(str(item) for item in response.data)}
    return response


def _encodable(content: object) -> object:
    """Return the content with lone surrogates, quoted from the request, replaced so that UTF-8 can encode it."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode()
    if isinstance(content, dict):
        return {_encodable(name): _encodable(value) for name, value in content.items()}
    return [_encodable(item) for item in content] if isinstance(content, list) else content
