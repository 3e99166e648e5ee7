"""What a person types about incidents."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from common.datetimes import EARLIEST, LATEST
from incidents.models import LONGEST_TEXT, LONGEST_TITLE, Incident, RunbookRun
from incidents.queries.reports import months_between
from incidents.services.opening import NewIncident
from people.models import User
from people.queries import all_users
from pipelines.queries import ownership

UNRESOLVED = "unresolved"
# Ten years, in days.
LONGEST_REPORT = 3660
# So many months where nothing is said, the last of them included.
MONTHS = 12


class FilterForm(forms.Form):
    """Which incidents a list shows."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "All"), (UNRESOLVED, "Not resolved"), *Incident.State.choices],
    )
    pipeline = forms.ModelChoiceField(ownership(), required=False, to_field_name="slug", empty_label="All")


class IncidentForm(forms.Form):
    """What is wrong with which pipeline."""

    pipeline = forms.ModelChoiceField(ownership(), to_field_name="slug", empty_label="Choose a pipeline")
    kind = forms.ChoiceField(
        choices=Incident.Kind.choices,
        help_text="An outage: nothing arrives. A delay: it arrives late. An issue: what arrives is wrong.",
    )
    title = forms.CharField(max_length=LONGEST_TITLE, help_text="In a few words; the responder reads them in the mail.")
    text = forms.CharField(
        required=False, max_length=LONGEST_TEXT, label="More", widget=forms.Textarea(attrs={"rows": 5})
    )

    def opening(self) -> NewIncident:
        """Return what was typed, once it is valid."""
        given = self.cleaned_data
        return NewIncident(kind=given["kind"], title=given["title"], text=given["text"])


class ChangeForm(IncidentForm):
    """What an incident is said to be; its pipeline stays."""

    pipeline = None  # type: ignore[assignment]  # Django's way to leave a field out


class NoteForm(forms.Form):
    """A note for the timeline."""

    text = forms.CharField(max_length=LONGEST_TEXT, label="Note", widget=forms.Textarea(attrs={"rows": 3}))


class ReassignForm(forms.Form):
    """To whom an incident goes, and a word."""

    engineer = forms.ModelChoiceField(all_users().active(), to_field_name="username", empty_label="Choose an engineer")
    text = forms.CharField(required=False, max_length=500, label="What they should know", widget=forms.TextInput)

    def __init__(self, *args: Any, holder: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if holder is not None:
            people = all_users().active().exclude(pk=holder.pk)
            self.fields["engineer"].queryset = people  # type: ignore[attr-defined]  # a model's choice field


class ResolveForm(forms.Form):
    """What ended an incident: a step of the runbook, or something else; and a word."""

    ended_by_step = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, label="What ended it", choices=[("", "None of the steps")]
    )
    text = forms.CharField(required=False, max_length=LONGEST_TEXT, label="What was done", widget=forms.TextInput)

    def __init__(self, *args: Any, run: RunbookRun | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        done = [step for step in run.steps.all() if step.done_at] if run else []
        if not done:
            del self.fields["ended_by_step"]
            return
        choices = [("", "None of the steps"), *((str(step.position), str(step)) for step in done)]
        self.fields["ended_by_step"].choices = choices  # type: ignore[attr-defined]  # a choice field
        last = max((step.done_at, step.position) for step in done if step.done_at)
        self.fields["ended_by_step"].initial = str(last[1])


class StepForm(forms.Form):
    """A step ticked, unticked or noted."""

    done = forms.TypedChoiceField(
        required=False, choices=[("", ""), ("1", ""), ("0", "")], coerce=lambda value: value == "1", empty_value=None
    )
    note = forms.CharField(required=False, max_length=2000)


class ReportForm(forms.Form):
    """Which months and which pipeline a report is about."""

    pipeline = forms.ModelChoiceField(ownership(), required=False, to_field_name="slug", empty_label="All")
    since = forms.DateField(
        required=False, label="From the month of", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )
    until = forms.DateField(
        required=False, label="To the month of", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )

    def clean(self) -> None:
        """Refuse months out of order, more than ten years of them, and years that no incident can be of."""
        super().clean()
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        for name, day in (("since", since), ("until", until)):
            if day and not EARLIEST <= day < LATEST:
                self.add_error(name, "Give a date between 2000 and 2100.")
        last = until or timezone.now().date()
        if since and since > last:
            self.add_error("since", "This comes after the last month.")
        elif since and (last - since).days > LONGEST_REPORT:
            self.add_error("since", "At most ten years at once.")

    def months(self, *, today: dt.date) -> list[dt.date]:
        """Return the months asked about, each by its first day: the last twelve where nothing is said, or what is said is wrong."""
        given = self.cleaned_data if self.is_valid() else {}
        last = given.get("until") or today
        first = given.get("since") or months_between(last - dt.timedelta(days=366), last)[-MONTHS]
        return months_between(first, last)


class CommentForm(forms.Form):
    """A word about what was done."""

    text = forms.CharField(required=False, max_length=LONGEST_TEXT)
