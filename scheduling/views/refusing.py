"""How a page says why a command refused what was typed."""

from django import forms

from people.refusals import Forbidden, Invalid, Refused


def explained(form: forms.Form, refusal: Refused) -> int:
    """Put a refusal beside what it is about; return the status of the answer."""
    if isinstance(refusal, Invalid):
        for name, reasons in refusal.problems.items():
            form.add_error(name if name in form.fields else None, reasons)
        return 400
    form.add_error(None, str(refusal))
    return 403 if isinstance(refusal, Forbidden) else 409
