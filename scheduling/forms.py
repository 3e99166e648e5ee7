"""Forms of the schedule and the shared calendar."""

import datetime as dt
from typing import Any

from django import forms

from people.models import User
from people.queries import all_users
from scheduling.domain.wall_time import format_day
from scheduling.models import HolidayBlock, RotationWeek
from scheduling.services.covers import CoverData
from scheduling.services.holidays import HolidayData
from scheduling.services.swaps import SwapProposal


class DatePicker(forms.DateInput):
    """A browser's native date input."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class HourPicker(forms.TimeInput):
    """A browser's native time input."""

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"type": "time"})


class HolidayForm(forms.Form):
    """Time off; an admin can choose the engineer."""

    engineer = forms.ModelChoiceField(all_users().active(), empty_label=None)
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

    def dates(self) -> HolidayData:
        """Return the validated dates."""
        given = self.cleaned_data
        return HolidayData(**{name: given[name] for name in HolidayData.__dataclass_fields__})


class RosterForm(forms.Form):
    """Ordered engineers, and the start date of the first engineer's week."""

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
        """Return the engineers, in order; raise ValidationError that names the line."""
        known = {user.username: user for user in all_users().active()}
        found: list[User] = []
        for number, line in enumerate(self.cleaned_data["engineers"].split("\n"), start=1):
            name = line.strip()
            if name and name not in known:
                raise forms.ValidationError(f"Line {number}: there is no active engineer “{name}”.")
            if name and known[name] in found:
                raise forms.ValidationError(f"Line {number}: “{name}” stands on the roster already.")
            found += [known[name]] if name else []
        return found


class AcknowledgingForm(forms.Form):
    """A form with a checkbox to acknowledge time off, shown only if there is a conflict."""

    acknowledge_conflicts = forms.BooleanField(required=False, label="Ask in spite of the holiday in it")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "acknowledge_conflicts"), "acknowledge_conflicts"])
        self.ask_to_acknowledge(asked="acknowledge_conflicts" in self.data)

    def ask_to_acknowledge(self, *, asked: bool) -> None:
        """Show or hide the checkbox."""
        self.fields["acknowledge_conflicts"].widget = forms.CheckboxInput() if asked else forms.HiddenInput()


class AskForm(AcknowledgingForm):
    """A request to swap a week for another, or to give it away."""

    wanted_week = forms.TypedChoiceField(
        required=False,
        coerce=dt.date.fromisoformat,
        empty_value=None,
        label="In return for",
        help_text="The engineer whose week it is gets the request.",
    )
    counterpart = forms.ModelChoiceField(
        all_users().active(),
        required=False,
        to_field_name="username",
        empty_label="Anyone",
        label="Who is to take it",
        help_text="Only where you ask for no week in return.",
    )
    message = forms.CharField(required=False, max_length=500, label="Message")
    third_week = forms.DateField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, weeks: list[RotationWeek], own: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (str(one.starts_on), f"{format_day(one.starts_on)}, {one.engineer}") for one in weeks if one.engineer != own
        ]
        self.fields["wanted_week"].choices = [("", "Nothing"), *choices]  # type: ignore[attr-defined]  # a choice field
        people = self.fields["counterpart"].queryset  # type: ignore[attr-defined]  # a model's choice field
        self.fields["counterpart"].queryset = people.exclude(pk=own.pk)  # type: ignore[attr-defined]

    def asked(self, week: dt.date) -> SwapProposal:
        """Return the validated proposal for a week."""
        given = self.cleaned_data
        return SwapProposal(
            offered_week=week,
            wanted_week=given["wanted_week"],
            counterpart=None if given["wanted_week"] else given["counterpart"],
            third_week=given["third_week"],
            message=given["message"],
            acknowledge_conflicts=bool(given["acknowledge_conflicts"]),
        )


class AnswerForm(forms.Form):
    """A response to a swap request: a comment, acknowledged conflicts and, for admins, the engineer."""

    engineer = forms.ModelChoiceField(all_users().active(), required=False, to_field_name="username", empty_label=None)
    word = forms.CharField(required=False, max_length=500, label="Why, should you decline")
    acknowledge_conflicts = forms.BooleanField(required=False, label="I take it in spite of my own holiday in it")


class InstantPicker(forms.DateTimeInput):
    """A browser's native date and time input, in the reader's time zone."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class CoverForm(AcknowledgingForm):
    """The covering engineer and the period of a cover."""

    engineer = forms.ModelChoiceField(
        all_users().active(), to_field_name="username", empty_label=None, label="Who takes over"
    )
    starts_at = forms.DateTimeField(label="From", widget=InstantPicker())
    ends_at = forms.DateTimeField(label="Until", widget=InstantPicker())
    reason = forms.CharField(required=False, max_length=200, help_text="Everybody reads it.")

    def span(self) -> CoverData:
        """Return the validated cover data."""
        given = self.cleaned_data
        return CoverData(given["engineer"], given["starts_at"], given["ends_at"], given["reason"])


class LinkForm(forms.Form):
    """The address of the engineer's own calendar."""

    address = forms.CharField(
        max_length=2000,
        label="Address of your calendar",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text="The secret address in iCal format that your calendar program gives you, beginning with https:// or webcal://.",
    )
