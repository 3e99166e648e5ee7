"""What a person types into the shared calendar."""

from typing import Any

from django import forms

from people.models import User
from people.queries import all_people
from scheduling.commands import Dates
from scheduling.models import HolidayBlock


class DatePicker(forms.DateInput):
    """A date as browsers let one choose it."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class HourPicker(forms.TimeInput):
    """An hour as browsers let one choose it."""

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"type": "time"})


class HolidayForm(forms.Form):
    """Dates on which somebody is unavailable; whose, an admin may choose."""

    engineer = forms.ModelChoiceField(all_people().active(), empty_label=None)
    starts_on = forms.DateField(label="First day", widget=DatePicker())
    ends_on = forms.DateField(label="Last day", widget=DatePicker())
    kind = forms.ChoiceField(choices=HolidayBlock.Kind.choices, initial=HolidayBlock.Kind.HOLIDAY)
    starts_at_time = forms.TimeField(
        required=False, label="From", widget=HourPicker(), help_text="An hour on the first day; empty: the whole day."
    )
    ends_at_time = forms.TimeField(
        required=False, label="Until", widget=HourPicker(), help_text="An hour on the last day; empty: the whole day."
    )
    note = forms.CharField(required=False, max_length=500, help_text="Only you and admins read it.")

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not person.is_staff:
            del self.fields["engineer"]

    def dates(self) -> Dates:
        """Return what was typed, once it is valid."""
        given = self.cleaned_data
        return Dates(**{name: given[name] for name in Dates.__dataclass_fields__})
