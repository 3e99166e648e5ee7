"""The form for handbook import."""

import hashlib
import json
from typing import Any

from django import forms

from common.forms import DayField, LineField, MultilineField
from handbook.queries.questions import NEW, Answers
from people.models import valid_time_zone
from runbooks.domain.handbook_model import MAX_HANDBOOK_BYTES

MISSING_INPUT = "Choose a file or paste Markdown."


class HandbookForm(forms.Form):
    """A handbook file or its text, with the settings that the handbook does not contain."""

    file = forms.FileField(
        required=False,
        label="File",
        help_text="One Markdown file.",
        widget=forms.FileInput(attrs={"accept": ".md,.markdown,.txt,text/markdown"}),
    )
    file_name = LineField(required=False, max_length=255, widget=forms.HiddenInput)
    previewed = LineField(required=False, max_length=64, widget=forms.HiddenInput)
    text = MultilineField(
        required=False,
        strip=False,
        label="Markdown",
        widget=forms.Textarea(attrs={"rows": 16, "class": "code-input"}),
    )
    starting = DayField(
        required=False,
        label="First Monday",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text=(
            "Start of week 1. Default: this week. A changed roster starts next week and continues after the engineer on call."
        ),
    )
    time_zone = LineField(
        required=False,
        max_length=64,
        validators=[valid_time_zone],
        help_text="Rotation time zone, such as Europe/Berlin. Default: keep current (UTC for new).",
    )

    def clean(self) -> dict[str, Any]:
        """Return the cleaned fields, with the handbook's bytes as `data`."""
        fields = super().clean() or {}
        upload = fields.get("file")
        if upload is not None and upload.size > MAX_HANDBOOK_BYTES:
            self.add_error("file", f"The file has {upload.size:,} bytes. The limit is {MAX_HANDBOOK_BYTES:,}.")
        elif upload is not None:
            fields["data"], fields["file_name"] = upload.read(), upload.name
        elif fields.get("text", "").strip():
            fields["data"] = fields["text"].encode()
        elif not self.errors:
            self.add_error("file", MISSING_INPUT)
        return fields

    def digest(self, answers: Answers) -> str:
        """Return a hash of the import's input: the text, the settings and the answers."""
        fields = self.cleaned_data
        content = {
            # A browser sends a text area's line ends as CRLF, whatever they were in the file.
            "text": self.markdown.splitlines(),
            "starting": str(fields["starting"] or ""),
            "time_zone": fields["time_zone"],
            "people": {key: answer for key, answer in answers.people.items() if answer not in ("", NEW)},
            "rotations": {key: answer for key, answer in answers.rotations.items() if answer},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def markdown(self) -> str:
        """The handbook as text."""
        data: bytes = self.cleaned_data["data"]
        return data.decode("utf-8-sig", "replace")

    def with_text(self, *, previewed: str = "") -> "HandbookForm":
        """Return the form with an uploaded file as text, so that the user does not have to select it again."""
        initial = {name: self.data.get(name, "") for name in ("starting", "time_zone")}
        fixed = {"text": self.markdown, "file_name": self.cleaned_data["file_name"], "previewed": previewed}
        form = HandbookForm(initial={**initial, **fixed})
        form.fields["file"].label = "Another file"
        return form

    @property
    def line_count(self) -> int:
        """The number of lines of the text."""
        return len((self["text"].value() or "").splitlines())
