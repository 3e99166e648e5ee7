"""Forms for hand-offs."""

import hashlib
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.html import format_html

from common.forms import LineField, MultilineField
from handoffs.domain.topics import note_topic
from handoffs.models import MAX_NOTE_CHARACTERS
from handoffs.queries.sheets import Topic
from handoffs.services.sheets import NoteChange
from pipelines.models import Pipeline
from scheduling.models import Rotation


class InstantPicker(forms.DateTimeInput):
    """A browser date and time picker in the reader's time zone."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})


class NotesForm(forms.Form):
    """One note field for each topic of a sheet, each with the version and digest of the text that the reader was shown."""

    def __init__(self, *args: Any, topics: list[Topic], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.topics = topics
        for place, topic in enumerate(topics):
            self.fields[f"base_{place}"] = forms.RegexField(
                r"[0-9]{1,9}-[0-9a-f]{64}", initial=_base(topic), required=False, widget=forms.HiddenInput()
            )
            self.fields[f"notes_{place}"] = MultilineField(
                label=format_html('Notes<span class="visually-hidden">: {}</span>', topic.heading),
                initial=topic.notes,
                required=False,
                strip=False,
                max_length=MAX_NOTE_CHARACTERS,
                widget=forms.Textarea(attrs={"rows": 3}),
            )

    def notes(self) -> dict[str, NoteChange]:
        """Return the notes that the reader changed, by topic title. Requires a valid form."""
        changes = {}
        for place, topic in enumerate(self.topics):
            text = self.cleaned_data[f"notes_{place}"]
            version, _, digest = self.cleaned_data[f"base_{place}"].partition("-")
            if f"notes_{place}" in self.data and text != topic.notes and digest != _digest(text):
                changes[topic.title] = NoteChange(text, int(version or 0))
        return changes

    def unsaved(self) -> list[tuple[str, str]]:
        """Return the heading of each topic whose note the reader changed, and the text; none if a field is wrong."""
        changes = self.notes() if self.is_bound and self.errors.keys() <= {NON_FIELD_ERRORS} else {}
        return [(topic.heading, changes[topic.title].text) for topic in self.topics if topic.title in changes]

    @classmethod
    def with_note(cls, note: str, *, topics: list[Topic]) -> "NotesForm":
        """Return the form with the current notes and `note` added to its topic (`note_topic`)."""
        data: dict[str, str] = {}
        for place, topic in enumerate(topics):
            data |= {f"base_{place}": _base(topic), f"notes_{place}": topic.notes}
        place = note_topic([topic.title for topic in topics])
        data[f"notes_{place}"] = "\n".join(filter(None, (topics[place].notes, note)))
        return cls(data, topics=topics)

    def rows(self) -> Iterator[tuple[Topic, forms.BoundField, forms.BoundField]]:
        """Yield each topic with its note field and its base field."""
        for place, topic in enumerate(self.topics):
            yield topic, self[f"notes_{place}"], self[f"base_{place}"]

    def merged(self) -> "NotesForm":
        """Return the form with what the reader typed, and the current text of notes that only others changed.

        Saving it again replaces the current notes. Requires a valid form.
        """
        changes, data = self.notes(), {name: self.data.get(name, "") for name in self.fields}
        for place, topic in enumerate(self.topics):
            data[f"base_{place}"] = _base(topic)
            if topic.title not in changes:
                data[f"notes_{place}"] = topic.notes
        return NotesForm(data, topics=self.topics)


def _base(topic: Topic) -> str:
    return f"{topic.version}-{_digest(topic.notes)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class MeetingForm(forms.Form):
    """The start and end of the meeting."""

    meeting_starts_at = forms.DateTimeField(label="Starts", widget=InstantPicker())
    meeting_ends_at = forms.DateTimeField(
        label="Ends", required=False, widget=InstantPicker(), help_text="Leave empty to keep the length."
    )


class ItemForm(forms.Form):
    """A new action item. On a sheet its fields are sent together with the notes, so that the browser must not require them."""

    use_required_attribute = False

    text = LineField(label="New action item", max_length=500)
    rotation = forms.ModelChoiceField(Rotation.objects.order_by("pk"), empty_label=None, to_field_name="slug")
    pipeline = forms.ModelChoiceField(
        Pipeline.objects.order_by("position", "pk"),
        required=False,
        to_field_name="slug",
        empty_label="No pipeline",
    )
