"""What a person types into the shared calendar."""

import datetime as dt
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


class RosterForm(forms.Form):
    """Engineers in order, and the week that is the first one's."""

    starts_on = forms.TypedChoiceField(label="From the week of", coerce=dt.date.fromisoformat)
    engineers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text="User names, one a line, in the order of their weeks.",
    )

    def __init__(self, *args: Any, weeks: list[dt.date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(week.isoformat(), f"{week:%A} {week.day} {week:%B %Y}") for week in weeks]
        self.fields["starts_on"].choices = choices  # type: ignore[attr-defined]  # a choice field

    def clean_engineers(self) -> list[User]:
        """Return the people named, in order; raise ValidationError that names the line."""
        known = {user.username: user for user in all_people().active()}
        found: list[User] = []
        for number, line in enumerate(self.cleaned_data["engineers"].split("\n"), start=1):
            name = line.strip()
            if name and name not in known:
                raise forms.ValidationError(f"Line {number}: there is no active engineer “{name}”.")
            if name and known[name] in found:
                raise forms.ValidationError(f"Line {number}: “{name}” stands on the roster already.")
            found += [known[name]] if name else []
        return found
