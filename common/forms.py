"""Showing service errors in forms."""

from django import forms

from common.exceptions import DomainError, InvalidInputError, NotAllowedError


def add_service_error(form: forms.Form, error: DomainError) -> int:
    """Add a service error to a form; return the HTTP status."""
    if isinstance(error, InvalidInputError):
        add_field_errors(form, error)
        return 400
    form.add_error(None, str(error))
    return 403 if isinstance(error, NotAllowedError) else 409


def add_field_errors(form: forms.BaseForm, error: InvalidInputError) -> None:
    """Add errors to their form fields, or above the form if it has no such field."""
    for name, messages in error.problems.items():
        form.add_error(name if name in form.fields else None, messages)


def form_errors(form: forms.BaseForm) -> InvalidInputError:
    """Return a form's errors as an InvalidInputError."""
    return InvalidInputError({name: [str(message) for message in messages] for name, messages in form.errors.items()})
