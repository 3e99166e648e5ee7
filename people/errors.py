"""How the API says no: `{"detail": …}` or `{field: [why]}`, with the fitting status."""

from django.core.exceptions import ValidationError as DjangoValidationError
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from people.refusals import Forbidden, Invalid, Refused


def answer(error: Exception, context: dict[str, object]) -> Response | None:
    """Return the response for an exception raised in an API view, None where it is nobody's to explain."""
    if isinstance(error, Invalid):
        return Response(error.problems, status=status.HTTP_400_BAD_REQUEST)
    if isinstance(error, Forbidden):
        return Response({"detail": str(error)}, status=status.HTTP_403_FORBIDDEN)
    if isinstance(error, Refused):
        return Response({"detail": str(error), **error.details}, status=status.HTTP_409_CONFLICT)
    if isinstance(error, DjangoValidationError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else {"detail": error.messages})
    response = exception_handler(error, context)
    if response is not None and isinstance(response.data, list):
        response.data = {"detail": " ".join(str(item) for item in response.data)}
    return response
