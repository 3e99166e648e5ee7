"""Forms of the schedule and the shared calendar."""

import datetime as dt
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self

from django import forms
from django.http import QueryDict
from django.utils.functional import cached_property

from common.datetimes import months_between
from common.formatting import format_day
from common.forms import MAX_OPTIONS, DayField, LineField, MonthSelect, MultilineField, mark_needed
from people.models import User, valid_time_zone
from people.queries import all_users
from scheduling.models import MAX_DESCRIPTION_LENGTH, HolidayBlock, RotationWeek
from scheduling.models.rotations import DEFAULT_DRILL_TIME, DEFAULT_HANDOFF_TIME, Weekday
from scheduling.services.cover_requests import CoverProposal
from scheduling.services.covers import CoverData
from scheduling.services.holidays import HolidayData
from scheduling.services.swaps import SwapProposal

# The months before and after this one that the calendar offers.
MONTHS_BACK, MONTHS_AHEAD = dt.timedelta(days=365), dt.timedelta(days=730)


class DatePicker(forms.DateInput):
    """A browser's native date input."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class TimePicker(forms.TimeInput):
    """A browser's native time input."""

    def __init__(self) -> None:
        super().__init__(format="%H:%M", attrs={"type": "time"})


class DateTimePicker(forms.DateTimeInput):
    """A browser's native date and time input, in the user's time zone."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class MonthForm(forms.Form):
    """The month that the calendar or the timeline shows."""

    month = DayField(required=False, widget=MonthSelect(empty_label="This month"))

    @classmethod
    def for_page(cls, *, today: dt.date, shown: dt.date | None) -> Self:
        """Return the form with the shown month selected. It offers the months from a year ago to two years ahead, and the shown one."""
        form = cls(initial={"month": shown})
        shown = shown or today
        months = months_between(min(today - MONTHS_BACK, shown), max(today + MONTHS_AHEAD, shown))
        form.fields["month"].widget.add_months(months)
        return form

    @property
    def first_day(self) -> dt.date | None:
        """The first day of the chosen month, or None."""
        return self.cleaned_data["month"] if self.is_valid() else None


class HolidayForm(forms.Form):
    """Time off; an admin can choose the engineer."""

    engineer = forms.ModelChoiceField(all_users().active(), empty_label=None)
    starts_on = DayField(label="First day", widget=DatePicker())
    ends_on = DayField(label="Last day", widget=DatePicker())
    kind = forms.ChoiceField(choices=HolidayBlock.Kind.choices, initial=HolidayBlock.Kind.HOLIDAY)
    starts_at_time = forms.TimeField(
        required=False, label="Start time", widget=TimePicker(), help_text="On the first day. Leave empty for all day."
    )
    ends_at_time = forms.TimeField(
        required=False, label="End time", widget=TimePicker(), help_text="On the last day. Leave empty for all day."
    )
    note = LineField(required=False, max_length=500, help_text="Visible only to you and admins.")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_staff:
            del self.fields["engineer"]

    def holiday_data(self) -> HolidayData:
        """Return the validated dates, kind and note."""
        return HolidayData(**{name: self.cleaned_data[name] for name in HolidayData.__dataclass_fields__})


class RotationForm(forms.Form):
    """A rotation's name, description and hand-off."""

    name = LineField(max_length=120)
    description = MultilineField(
        required=False, max_length=MAX_DESCRIPTION_LENGTH, widget=forms.Textarea(attrs={"rows": 3})
    )
    time_zone = LineField(
        max_length=64,
        initial="UTC",
        label="Time zone",
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
        help_text="Such as Europe/Berlin.",
        validators=[valid_time_zone],
    )
    handoff_weekday = forms.TypedChoiceField(
        choices=Weekday.choices, coerce=int, initial=Weekday.MONDAY, label="Hand-off day"
    )
    handoff_time = forms.TimeField(
        initial=DEFAULT_HANDOFF_TIME,
        label="Hand-off time",
        widget=TimePicker(),
        help_text="In the rotation’s time zone.",
    )
    weekly_drill = forms.BooleanField(
        required=False,
        label="Weekly drill",
        help_text="Starts a drill for the on-call engineer once a week. Every message says that it is a drill.",
    )
    drill_weekday = forms.TypedChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        empty_value=None,
        initial=Weekday.TUESDAY,
        label="Drill day",
    )
    drill_time = forms.TimeField(
        required=False,
        initial=DEFAULT_DRILL_TIME,
        label="Drill time",
        widget=TimePicker(),
        help_text="In the rotation’s time zone.",
    )


def parse_engineers(text: str) -> list[User]:
    """Return the engineers in a list of user names, one per line. Raises ValidationError, which names the place."""
    by_username = {user.username: user for user in all_users().active()}
    engineers: list[User] = []
    for number, line in enumerate(text.split("\n"), start=1):
        username = line.strip()
        if not username:
            continue
        if username not in by_username:
            raise forms.ValidationError(f"Place {number}: no active engineer has the user name “{username}”.")
        if by_username[username] in engineers:
            raise forms.ValidationError(f"Place {number}: {by_username[username]} is listed twice.")
        engineers.append(by_username[username])
    return engineers


class RosterInput(forms.Textarea):
    """User names, one per line, submitted by one select for each place."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """Return the chosen user names, one per line; empty selects are left out."""
        values = data.getlist(name) if hasattr(data, "getlist") else [data.get(name, "")]
        return "\n".join(value for value in values if value)


class PlacesForm(forms.Form):
    """A form with the ordered engineers of a roster, one select for each place."""

    # Number of selects for engineers to add.
    empty_selects: ClassVar[int]

    engineers = MultilineField(widget=RosterInput)

    @property
    def places(self) -> list[str]:
        """The user name of each place, in order."""
        return str(self["engineers"].value() or "").split()

    @property
    def is_long(self) -> bool:
        """True if the select of a place lists only its engineer, because the page would be too long otherwise."""
        return (len(self.places) + self.empty_selects) * len(self.people) > MAX_OPTIONS

    @property
    def place_options(self) -> list[tuple[str, list[User]]]:
        """The user name of each place, in order, with the engineers that its select lists."""
        people, is_long = self.people, self.is_long
        return [(name, [one for one in people if one.username == name] if is_long else people) for name in self.places]

    @property
    def empty_places(self) -> range:
        """A range with one item for each empty select."""
        return range(1 if self.is_long else self.empty_selects)

    @cached_property
    def people(self) -> list[User]:
        """The engineers to choose from."""
        return list(all_users().active())

    def apply_edit(self, data: QueryDict) -> Self:
        """Return a form, not validated, with an engineer moved for `up` or `down` or with more empty places for `add`; else this form."""
        if "add" in data:
            return self._with_places(self.places)
        for direction, offset in (("up", -1), ("down", 1)):
            if re.fullmatch("[0-9]{1,3}", place := data.get(direction, ""), re.ASCII):
                return self._with_places(_swap_places(self.places, int(place), int(place) + offset))
        return self

    def _with_places(self, places: list[str], **arguments: Any) -> Self:
        """Return the form with these places, not validated. `arguments` are those of its class."""
        initial = {name: self[name].value() for name in self.fields} | {"engineers": "\n".join(places)}
        return type(self)(initial=initial, **arguments)

    def clean_engineers(self) -> list[User]:
        """Return the engineers, in order."""
        return parse_engineers(self.cleaned_data["engineers"])


def _swap_places(places: list[str], one: int, other: int) -> list[str]:
    if 0 <= one < len(places) and 0 <= other < len(places):
        places[one], places[other] = places[other], places[one]
    return places


class NewRotationForm(PlacesForm, RotationForm):
    """A new rotation with its first roster."""

    empty_selects = 6

    engineers = MultilineField(
        widget=RosterInput, help_text="In rotation order. The first engineer is on call in the first week."
    )
    starts_on = DayField(
        required=False,
        label="First week",
        widget=DatePicker(),
        help_text="Its start date. Leave empty for this week.",
    )
    field_order = (*RotationForm.base_fields, "engineers", "starts_on")


class RosterForm(PlacesForm):
    """Ordered engineers, and the start date of the first engineer's shift."""

    empty_selects = 1

    starts_on = forms.TypedChoiceField(label="Start week", coerce=dt.date.fromisoformat)
    keep_weeks = forms.BooleanField(
        required=False,
        label="Keep everyone’s weeks",
        help_text="A new engineer takes the weeks of the engineer they replace. Nobody else’s weeks change. "
        "If not selected, the first engineer is on call in the start week.",
    )

    def __init__(self, *args: Any, start_dates: list[dt.date], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.start_dates = start_dates
        choices = [(day.isoformat(), format_day(day, "full")) for day in start_dates]
        self.fields["starts_on"].choices = choices  # type: ignore[attr-defined]  # a choice field

    def _with_places(self, places: list[str], **arguments: Any) -> Self:
        return super()._with_places(places, start_dates=self.start_dates, **arguments)


class EngineerField(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic only in the stubs
    """A choice of engineers; those who are away in a period are marked."""

    absences: Mapping[int, str] = MappingProxyType({})

    def mark_absences(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
        """Mark engineers who are away in a period."""
        notes: dict[int, list[str]] = {}
        for row in HolidayBlock.objects.overlapping(starts_at=starts_at, ends_at=ends_at):
            notes.setdefault(row.engineer_id, []).append(row.days)
        self.absences = {key: ", ".join(periods) for key, periods in notes.items()}

    def label_from_instance(self, obj: User) -> str:
        """Return the engineer's name, and when they are away."""
        return f"{obj} (away {self.absences[obj.pk]})" if obj.pk in self.absences else str(obj)


class ConflictForm(forms.Form):
    """A form with a checkbox to go ahead despite time off, shown only if there is a conflict."""

    acknowledge_conflicts = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "acknowledge_conflicts"), "acknowledge_conflicts"])
        self.show_conflict_checkbox(show="acknowledge_conflicts" in self.data)

    def show_conflict_checkbox(self, *, show: bool) -> None:
        """Show or hide the checkbox."""
        self.fields["acknowledge_conflicts"].widget = forms.CheckboxInput() if show else forms.HiddenInput()


class SwapRequestForm(ConflictForm):
    """A request to swap a shift for another, or to give it away."""

    acknowledge_conflicts = forms.BooleanField(required=False, label="Send the request despite this time off")
    wanted_week = forms.TypedChoiceField(
        required=False,
        coerce=dt.date.fromisoformat,
        empty_value=None,
        label="In exchange for",
        help_text="The request goes to the engineer of that shift.",
    )
    counterpart = EngineerField(
        all_users().active(),
        required=False,
        to_field_name="username",
        empty_label="Anyone",
        label="Send to",
        help_text="Only if you are not asking for a shift in exchange.",
    )
    message = LineField(required=False, max_length=500, label="Message")
    third_week = DayField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, weeks: list[RotationWeek], requester: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (str(week.starts_on), f"{format_day(week.starts_on)}, {week.engineer}")
            for week in weeks
            if week.engineer != requester
        ]
        self.fields["wanted_week"].choices = [("", "No shift"), *choices]  # type: ignore[attr-defined]  # a choice field
        people = self.fields["counterpart"].queryset  # type: ignore[attr-defined]  # a model's choice field
        self.fields["counterpart"].queryset = people.exclude(pk=requester.pk)  # type: ignore[attr-defined]

    def proposal(self, offered_week: dt.date) -> SwapProposal:
        """Return the validated proposal for a shift."""
        data = self.cleaned_data
        return SwapProposal(
            offered_week=offered_week,
            wanted_week=data["wanted_week"],
            counterpart=None if data["wanted_week"] else data["counterpart"],
            third_week=data["third_week"],
            message=data["message"],
            acknowledge_conflicts=bool(data["acknowledge_conflicts"]),
        )


class SwapResponseForm(forms.Form):
    """A response to a swap request: a reason, acknowledged conflicts and, for admins, the engineer."""

    engineer = forms.ModelChoiceField(all_users().active(), required=False, to_field_name="username", empty_label=None)
    reason = LineField(required=False, max_length=500, label="Reason for declining")
    acknowledge_conflicts = forms.BooleanField(required=False, label="Accept despite this time off")


class CoverForm(ConflictForm):
    """The covering engineer and the period of a cover."""

    acknowledge_conflicts = forms.BooleanField(required=False, label="Save the cover despite this time off")
    engineer = EngineerField(
        all_users().active(), to_field_name="username", empty_label="Choose an engineer", label="Covering engineer"
    )
    starts_at = forms.DateTimeField(label="From", widget=DateTimePicker())
    ends_at = forms.DateTimeField(label="Until", widget=DateTimePicker())
    reason = LineField(required=False, max_length=200, help_text="Visible to everyone.")

    def cover_data(self) -> CoverData:
        """Return the validated cover data."""
        return CoverData(**{name: self.cleaned_data[name] for name in CoverData.__dataclass_fields__})


class CoverRequestForm(forms.Form):
    """A request to cover a period, sent to an engineer or to anyone."""

    starts_at = forms.DateTimeField(label="From", widget=DateTimePicker())
    ends_at = forms.DateTimeField(label="Until", widget=DateTimePicker())
    counterpart = EngineerField(
        all_users().active(),
        required=False,
        to_field_name="username",
        empty_label="Anyone in the rotation",
        label="Send to",
    )
    message = LineField(required=False, max_length=200, help_text="Visible to everyone.")

    def __init__(self, *args: Any, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not by.is_staff:  # an admin can request cover for someone else and name themselves
            people = self.fields["counterpart"].queryset  # type: ignore[attr-defined]  # a model's choice field
            self.fields["counterpart"].queryset = people.exclude(pk=by.pk)  # type: ignore[attr-defined]

    def proposal(self) -> CoverProposal:
        """Return the validated proposal."""
        return CoverProposal(**{name: self.cleaned_data[name] for name in CoverProposal.__dataclass_fields__})


class CoverAnswerForm(ConflictForm):
    """An answer to a cover request: the part, a reason, acknowledged conflicts and, for admins, the engineer."""

    acknowledge_conflicts = forms.BooleanField(required=False, label="Accept despite this time off")
    engineer = forms.ModelChoiceField(
        all_users().active(), required=False, to_field_name="username", label="On behalf of"
    )
    starts_at = mark_needed(forms.DateTimeField(required=False, label="From", widget=DateTimePicker()))
    ends_at = mark_needed(forms.DateTimeField(required=False, label="Until", widget=DateTimePicker()))
    reason = LineField(required=False, max_length=500, label="Reason for declining")


class CalendarLinkForm(forms.Form):
    """The URL of the engineer's own calendar."""

    address = LineField(
        max_length=2000,
        label="Calendar URL",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
        help_text="The secret iCal URL from your calendar app. It starts with https:// or webcal://.",
    )
