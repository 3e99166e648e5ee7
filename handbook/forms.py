"""The form for handbook import."""

from typing import Any

from django import forms

from people.models import valid_time_zone
from runbooks.domain.handbook_model import LARGEST_HANDBOOK

NEITHER = "Choose the handbook's file, or paste its text."


class HandbookForm(forms.Form):
    """A handbook file or its text, with the settings that the handbook does not contain."""

    file = forms.FileField(
        required=False,
        label="File",
        help_text="One Markdown file.",
        widget=forms.FileInput(attrs={"accept": ".md,.markdown,.txt,text/markdown"}),
    )
    text = forms.CharField(
        required=False,
        strip=False,
        label="Or its text",
        widget=forms.Textarea(attrs={"rows": 16, "class": "code-input"}),
        help_text="Paste it here instead of choosing a file.",
    )
    starting = forms.DateField(
        required=False,
        label="First Monday",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        help_text="Week 1 begins on it. Empty: this week, or for a changed roster the next.",
    )
    time_zone = forms.CharField(
        required=False,
        max_length=64,
        validators=[valid_time_zone],
        help_text="Of the rotation, such as Europe/Berlin. Empty: as it is, UTC at first.",
    )

    def clean(self) -> dict[str, Any]:
        """Return the cleaned fields, with the handbook's bytes as `data`."""
        given = super().clean() or {}
        upload = given.get("file")
        if upload is not None and upload.size > LARGEST_HANDBOOK:
            self.add_error("file", f"The file has {upload.size:,} bytes; a handbook may have {LARGEST_HANDBOOK:,}.")
        elif upload is not None:
            given["data"] = upload.read()
        elif given.get("text", "").strip():
            given["data"] = given["text"].encode()
        elif not self.errors:
            self.add_error("file", NEITHER)
        return given

    def shown_again(self) -> "HandbookForm":
        """Return the form with an uploaded file as text, so that the user does not have to select it again."""
        data: bytes = self.cleaned_data["data"]
        again = {name: self.data.get(name, "") for name in ("starting", "time_zone")}
        return HandbookForm(initial={**again, "text": data.decode("utf-8-sig", "replace")})
