"""Service errors in forms."""

from django import forms

from common.exceptions import DomainError, InvalidInputError, NotAllowedError


def add_service_error(form: forms.Form, refusal: DomainError) -> int:
    """Add a service error to a form; return the HTTP status."""
    if isinstance(refusal, InvalidInputError):
        add_field_errors(form, refusal)
        return 400
    form.add_error(None, str(refusal))
    return 403 if isinstance(refusal, NotAllowedError) else 409


def add_field_errors(form: forms.BaseForm, refusal: InvalidInputError) -> None:
    """Add errors to their form fields, or above the form if it has no such field."""
    for name, reasons in refusal.problems.items():
        form.add_error(name if name in form.fields else None, reasons)


def form_errors(form: forms.BaseForm) -> InvalidInputError:
    """Return a form's errors as an InvalidInputError."""
    return InvalidInputError({name: [str(reason) for reason in reasons] for name, reasons in form.errors.items()})
