"""Forms for calendar feeds."""

from django import forms

from scheduling.models import Rotation


class FeedForm(forms.Form):
    """Choose the calendar that a new feed shows."""

    rotation = forms.ModelChoiceField(
        Rotation.objects.order_by("pk"),
        required=False,
        to_field_name="slug",
        empty_label="My calendar (weeks, covers, hand-offs, time off)",
        label="Calendar",
    )
