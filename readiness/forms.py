"""Forms of readiness."""

from django import forms

from common.forms import LineField, MultilineField
from pipelines.models import Pipeline
from readiness.models import MAX_COMMENT_LENGTH, MAX_NOTE_LENGTH, ReadersLink


class CommentForm(forms.Form):
    """Why a number was restated."""

    comment = MultilineField(
        required=False,
        max_length=MAX_COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was wrong and what fixed it, for auditors.",
    )


class NoteForm(forms.Form):
    """One sentence about a pipeline for readers."""

    text = LineField(
        required=False,
        max_length=MAX_NOTE_LENGTH,
        label="Note for readers",
        help_text="One sentence on every reader page with this pipeline, without your name. Leave empty to remove the note.",
    )


class LinkForm(forms.Form):
    """A new reader link."""

    name = LineField(max_length=80, help_text="Title of the page, such as “Investor numbers”.")
    pipelines = forms.ModelMultipleChoiceField(
        Pipeline.objects.order_by("position", "pk"), to_field_name="slug", widget=forms.CheckboxSelectMultiple
    )


class SubscribeForm(forms.Form):
    """An e-mail address and the pipelines of a reader page to subscribe to."""

    email = forms.EmailField(
        max_length=254, label="E-mail address", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    pipelines = forms.ModelMultipleChoiceField(
        Pipeline.objects.none(),
        to_field_name="slug",
        widget=forms.CheckboxSelectMultiple,
        label="Send me updates about",
    )

    def __init__(self, *args: object, link: ReadersLink, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]  # Django's own arguments
        rows = link.pipelines.order_by("position", "pk")
        field = self.fields["pipelines"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = rows
        self.initial.setdefault("pipelines", list(rows))
