"""How a page says why a command refused what was typed."""

from django import forms

from people.forms import refuse_fields
from people.refusals import Forbidden, Invalid, Refused


def explained(form: forms.Form, refusal: Refused) -> int:
    """Put a refusal beside what it is about; return the status of the answer."""
    if isinstance(refusal, Invalid):
        refuse_fields(form, refusal)
        return 400
    form.add_error(None, str(refusal))
    return 403 if isinstance(refusal, Forbidden) else 409
