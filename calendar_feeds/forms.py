"""The form that creates a calendar feed."""

from django import forms

from scheduling.models import Rotation


class FeedForm(forms.Form):
    """Whose calendar an address is to open."""

    rotation = forms.ModelChoiceField(
        Rotation.objects.order_by("pk"),
        required=False,
        to_field_name="slug",
        empty_label="My own: weeks, covers, holidays",
        label="Calendar",
    )
