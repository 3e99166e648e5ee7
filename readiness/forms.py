"""Forms of readiness."""

from django import forms

from common.forms import MultilineField
from readiness.models import MAX_COMMENT_LENGTH


class CommentForm(forms.Form):
    """Why a number was restated."""

    comment = MultilineField(
        required=False,
        max_length=MAX_COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What was wrong and what fixed it, for auditors.",
    )
