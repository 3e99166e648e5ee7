"""Forms for notification preferences and chat addresses."""

from typing import Any

from django import forms

from notifications.channels.chat import ChatAddressError, service_of
from notifications.models import ChatAddress
from notifications.queries.preferences import TypePreference
from notifications.services.preferences import Channels, Quiet


class PreferencesForm(forms.Form):
    """Notification preferences: two checkboxes for each type, and quiet hours."""

    quiet_from = forms.TimeField(
        required=False, label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False, label="Until", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    def __init__(self, *args: Any, preferences: list[TypePreference], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preferences = preferences
        for preference in preferences:
            name, label = preference.type.name, preference.type.label
            email = forms.BooleanField(
                required=False,
                initial=preference.email,
                disabled=preference.type.urgent,
                label=f"{label}: e-mail",
            )
            chat = forms.BooleanField(required=False, initial=preference.chat, label=f"{label}: chat")
            self.fields |= {f"email-{name}": email, f"chat-{name}": chat}

    def rows(self) -> list[tuple[TypePreference, forms.BoundField, forms.BoundField]]:
        """Return each notification type with its two checkboxes."""
        return [(row, self[f"email-{row.type.name}"], self[f"chat-{row.type.name}"]) for row in self.preferences]

    def hours(self) -> list[forms.BoundField]:
        """Return the fields of the quiet hours."""
        return [self["quiet_from"], self["quiet_until"]]

    def clean(self) -> None:
        """Add an error if only one of the two times is set."""
        super().clean()
        start, end = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_until")
        if (start is None) != (end is None) and not self.errors:
            self.add_error("quiet_until" if end is None else "quiet_from", "Set both times or neither.")

    def channels(self) -> dict[str, Channels]:
        """Return the enabled channels by type. Call after validation."""
        data = self.cleaned_data
        return {
            row.type.name: Channels(email=data[f"email-{row.type.name}"], chat=data[f"chat-{row.type.name}"])
            for row in self.preferences
        }

    def quiet(self) -> Quiet | None:
        """Return the quiet hours, or None if they are empty."""
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return None if start is None or end is None else Quiet(start, end)


class ChatAddressForm(forms.ModelForm[ChatAddress]):
    """Chat address of a user; it is never shown after it is saved."""

    typed = forms.CharField(
        label="Address",
        max_length=1000,
        widget=forms.TextInput(attrs={"size": 80, "autocomplete": "off"}),
        help_text="An Apprise URL, such as slack://TokenA/TokenB/TokenC/#channel. It is stored encrypted.",
    )

    class Meta:
        model = ChatAddress
        fields = ("person",)

    def clean_typed(self) -> str:
        """Return the address; raise ValidationError if its service is not permitted."""
        address: str = self.cleaned_data["typed"].strip()
        try:
            service_of(address)
        except ChatAddressError as error:
            raise forms.ValidationError(str(error)) from error
        return address
