"""Forms of the incident pages."""

import datetime as dt
import re
from typing import Any

from django import forms
from django.utils import timezone

from common.datetimes import months_between
from common.forms import DayField, LineField, MonthSelect, MultilineField
from incidents.models import (
    MAX_KEY_NAME_LENGTH,
    MAX_NOTE_LENGTH,
    MAX_REASON_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    Incident,
    RunbookRun,
)
from incidents.services.runbook_runs import NoteEdit
from incidents.services.transitions import NewIncident
from people.models import User
from people.queries import all_users
from pipelines.queries import ownership

UNRESOLVED = "unresolved"
MAX_REPORT_DAYS = 3660
DEFAULT_REPORT_MONTHS = 12


class IncidentFilterForm(forms.Form):
    """Filters of the incident list."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "All"), (UNRESOLVED, "Unresolved"), *Incident.State.choices],
    )
    pipeline = forms.ModelChoiceField(ownership(), required=False, to_field_name="slug", empty_label="All")


class IncidentForm(forms.Form):
    """A new incident."""

    pipeline = forms.ModelChoiceField(ownership(), to_field_name="slug", empty_label="Choose a pipeline")
    kind = forms.ChoiceField(
        choices=Incident.Kind.choices, help_text="Outage: no data. Delay: late data. Issue: wrong data."
    )
    severity = forms.ChoiceField(
        required=False,
        choices=Incident.Severity.choices,
        initial=Incident.Severity.HIGH,
        help_text="Low severity notifies people in their working hours only.",
    )
    title = LineField(max_length=MAX_TITLE_LENGTH, help_text="Short summary; shown in the notification.")
    text = MultilineField(
        required=False, max_length=MAX_TEXT_LENGTH, label="Details", widget=forms.Textarea(attrs={"rows": 5})
    )

    def new_incident(self) -> NewIncident:
        """Return the incident of a valid form."""
        data = self.cleaned_data
        severity = data["severity"] or Incident.Severity.HIGH
        return NewIncident(kind=data["kind"], severity=severity, title=data["title"], text=data["text"])


class EditForm(IncidentForm):
    """Corrections of an incident, whose pipeline cannot change."""

    pipeline = None  # type: ignore[assignment]  # Django's way to leave a field out


class NoteForm(forms.Form):
    """A note for the timeline."""

    text = MultilineField(max_length=MAX_TEXT_LENGTH, label="Note", widget=forms.Textarea(attrs={"rows": 3}))


class ReassignForm(forms.Form):
    """A new assignee, with context for them."""

    engineer = forms.ModelChoiceField(all_users().active(), to_field_name="username", empty_label="Choose an engineer")
    text = LineField(required=False, max_length=MAX_TEXT_LENGTH, label="Context", widget=forms.TextInput)

    def __init__(self, *args: Any, assignee: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if assignee is not None:
            people = all_users().active().exclude(pk=assignee.pk)
            self.fields["engineer"].queryset = people  # type: ignore[attr-defined]  # a model's choice field


class ResolveForm(forms.Form):
    """The resolution of an incident, and the runbook step that fixed it if one did."""

    fixed_by_step = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="Which step fixed it?", choices=[("", "None of the steps")]
    )
    text = LineField(required=False, max_length=MAX_TEXT_LENGTH, label="Resolution", widget=forms.TextInput)

    def __init__(self, *args: Any, run: RunbookRun | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        done = [step for step in run.steps.all() if step.done_at] if run else []
        if not done:
            del self.fields["fixed_by_step"]
            return
        choices = [("", "None of the steps"), *((str(step.position), str(step)) for step in done)]
        self.fields["fixed_by_step"].choices = choices  # type: ignore[attr-defined]  # a choice field
        _, last_position = max((step.done_at, step.position) for step in done if step.done_at)
        self.fields["fixed_by_step"].initial = str(last_position)


def _instant_input() -> forms.DateTimeInput:
    return forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class SnoozeForm(forms.Form):
    """When a snooze ends, in the viewer's time zone."""

    until = forms.DateTimeField(label="Snooze until", widget=_instant_input())


class MaintenanceForm(forms.Form):
    """A maintenance window, in the viewer's time zone."""

    starts_at = forms.DateTimeField(
        required=False, label="Start", help_text="Leave empty to start now.", widget=_instant_input()
    )
    ends_at = forms.DateTimeField(label="End", widget=_instant_input())
    reason = LineField(max_length=MAX_REASON_LENGTH, help_text="Such as “Warehouse migration”.")


class IntegrationKeyForm(forms.Form):
    """A new integration key."""

    name = LineField(max_length=MAX_KEY_NAME_LENGTH, help_text="The tool that uses it, such as “Grafana”.")


class StepForm(forms.Form):
    """A runbook step marked as done or not done, and the notes typed on this and other steps.

    The checklist is one form: `note-2` is the note on step 2, and `shown-2` the note that the page showed.
    """

    done = forms.TypedChoiceField(
        required=False, choices=[("", ""), ("1", ""), ("0", "")], coerce=lambda value: value == "1", empty_value=None
    )
    note = MultilineField(required=False, max_length=MAX_NOTE_LENGTH)

    def notes(self, *, position: int) -> dict[int, NoteEdit]:
        """Return the notes that were edited, by position; `note` is the one on the step at `position`."""
        edits = {}
        for name in self.data:
            number = name.removeprefix("note-")
            if name.startswith("note-") and re.fullmatch("[0-9]{1,4}", number):
                edits[int(number)] = NoteEdit(text=self.data[name], shown=self.data.get(f"shown-{number}"))
        if "note" in self.data:
            edits[position] = NoteEdit(text=self.cleaned_data["note"])
        return {number: edit for number, edit in edits.items() if edit.text.strip() != edit.shown}


class ReportForm(forms.Form):
    """Months and pipeline of a report."""

    pipeline = forms.ModelChoiceField(
        ownership(),
        required=False,
        to_field_name="slug",
        empty_label="All",
        error_messages={"invalid_choice": "Unknown pipeline."},
    )
    since = DayField(required=False, label="From", widget=MonthSelect(empty_label="12 months earlier"))
    until = DayField(required=False, label="To", widget=MonthSelect(empty_label="This month"))

    def offer_months(self, first: dt.date, last: dt.date) -> None:
        """Offer the months from `first` to `last`, extended to the chosen ones."""
        chosen = [day for name in ("since", "until") if (day := self.cleaned_data.get(name))]
        for name in ("since", "until"):
            months = months_between(min([first, *chosen]), max([last, *chosen]))
            self.fields[name].widget.add_months(reversed(months))

    def clean(self) -> None:
        """Refuse reversed dates and more than ten years."""
        super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        last = until or timezone.now().date()
        if since and since > last:
            self.add_error("since", "Start date is after end date.")
        elif since and (last - since).days > MAX_REPORT_DAYS:
            self.add_error("since", "A report covers at most ten years.")

    def months(self, *, today: dt.date) -> list[dt.date]:
        """Return the first days of the report's months: the last twelve if no dates are set or a field is invalid."""
        data = self.cleaned_data if self.is_valid() else {}
        last = data.get("until") or today
        first = data.get("since") or months_between(last - dt.timedelta(days=366), last)[-DEFAULT_REPORT_MONTHS]
        return months_between(first, last)


class CommentForm(forms.Form):
    """An optional comment."""

    text = MultilineField(required=False, max_length=MAX_TEXT_LENGTH)
