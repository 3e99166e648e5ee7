"""How a page says why a command refused what was typed."""

from django import forms

from common.exceptions import DomainError, InvalidInputError, NotAllowedError


def add_service_error(form: forms.Form, refusal: DomainError) -> int:
    """Put a refusal beside what it is about; return the status of the answer."""
    if isinstance(refusal, InvalidInputError):
        add_field_errors(form, refusal)
        return 400
    form.add_error(None, str(refusal))
    return 403 if isinstance(refusal, NotAllowedError) else 409


def add_field_errors(form: forms.BaseForm, refusal: InvalidInputError) -> None:
    """Show what a command said of each field at that field, of what the form does not ask for above it."""
    for name, reasons in refusal.problems.items():
        form.add_error(name if name in form.fields else None, reasons)


def form_errors(form: forms.BaseForm) -> InvalidInputError:
    """Return what is wrong with a form as a refusal, field by field."""
    return InvalidInputError({name: [str(reason) for reason in reasons] for name, reasons in form.errors.items()})
