"""Forms for hand-offs."""

from typing import Any

from django import forms

from handoffs.queries.sheets import Topic
from handoffs.services.sheets import MAX_NOTE_CHARACTERS
from pipelines.models import Pipeline
from scheduling.models import Rotation


class InstantPicker(forms.DateTimeInput):
    """A browser date and time picker in the reader's time zone."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class NotesForm(forms.Form):
    """One note field for each topic of a sheet."""

    def __init__(self, *args: Any, topics: list[Topic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.titles = [topic.title for topic in topics]
        for place, topic in enumerate(topics):
            self.fields[f"notes_{place}"] = forms.CharField(
                label=f"Notes: {topic.heading}",
                initial=topic.notes,
                required=False,
                strip=False,
                max_length=MAX_NOTE_CHARACTERS,
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def notes(self) -> dict[str, str]:
        """Return the changed notes by topic title. Requires a valid form."""
        texts = {title: self.cleaned_data[f"notes_{place}"] for place, title in enumerate(self.titles)}
        changed = {title for place, title in enumerate(self.titles) if f"notes_{place}" in self.changed_data}
        return {title: text.replace("\r\n", "\n") for title, text in texts.items() if title in changed}


class MeetingForm(forms.Form):
    """The start and end of the meeting."""

    meeting_starts_at = forms.DateTimeField(label="Starts", widget=InstantPicker())
    meeting_ends_at = forms.DateTimeField(
        label="Ends", required=False, widget=InstantPicker(), help_text="Leave blank to keep the length."
    )


class ItemForm(forms.Form):
    """A new action item."""

    text = forms.CharField(label="New action item", max_length=500)
    rotation = forms.ModelChoiceField(Rotation.objects.order_by("pk"), empty_label=None, to_field_name="slug")
    pipeline = forms.ModelChoiceField(
        Pipeline.objects.order_by("position", "pk"),
        required=False,
        to_field_name="slug",
        empty_label="No pipeline",
    )
