"""API error responses: `{"detail": …}` or `{field: [messages]}`, with a matching status."""

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from common.exceptions import DomainError, InvalidInputError, NotAllowedError


def handle_exception(error: Exception, context: dict[str, object]) -> Response | None:
    """Return the response for an exception raised in an API view, or None if it is unknown."""
    response = _answer(error, context)
    if response is not None:
        response.data = _writable(response.data)
    return response


def _answer(error: Exception, context: dict[str, object]) -> Response | None:
    if isinstance(error, InvalidInputError):
        return Response(error.problems, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, NotAllowedError):
        return Response({"detail": str(error)}, status=status.HTTP_403_FORBIDDEN)
    if isinstance(error, DomainError):
        return Response({"detail": str(error), **error.details}, status=status.HTTP_409_CONFLICT)
    if isinstance(error, DjangoValidationError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages})
    response = exception_handler(error, context)
    if response is not None and isinstance(response.data, list):
        response.data = {"detail": " ".join(str(item) for item in response.data)}
    return response


def _writable(said: object) -> object:
    """Return an answer in which what quotes the caller's half a character (a lone surrogate) can be written as UTF-8."""
    if isinstance(said, str):
        return said.encode("utf-8", "replace").decode()
    if isinstance(said, dict):
        return {_writable(name): _writable(value) for name, value in said.items()}
    return [_writable(one) for one in said] if isinstance(said, list) else said
