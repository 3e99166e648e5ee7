"""Forms for notification preferences and chat addresses."""

from typing import Any

from django import forms

from notifications.channels.chat import NotAChatAddress, service_of
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

    def __init__(self, *args: Any, choices: list[TypePreference], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choices = choices
        for chosen in choices:
            email = forms.BooleanField(
                required=False,
                initial=chosen.email,
                disabled=chosen.kind.urgent,
                label=f"{chosen.kind.title}: by e-mail",
            )
            chat = forms.BooleanField(required=False, initial=chosen.chat, label=f"{chosen.kind.title}: by chat")
            self.fields |= {f"email-{chosen.kind.name}": email, f"chat-{chosen.kind.name}": chat}

    def rows(self) -> list[tuple[TypePreference, forms.BoundField, forms.BoundField]]:
        """Return each message type with its two checkboxes."""
        return [(one, self[f"email-{one.kind.name}"], self[f"chat-{one.kind.name}"]) for one in self.choices]

    def hours(self) -> list[forms.BoundField]:
        """Return the fields of the quiet hours."""
        return [self["quiet_from"], self["quiet_until"]]

    def clean(self) -> None:
        """Add an error if only one of the two times is given."""
        super().clean()
        start, end = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_until")
        if (start is None) != (end is None) and not self.errors:
            self.add_error("quiet_until" if end is None else "quiet_from", "Give both hours, or none.")

    def channels(self) -> dict[str, Channels]:
        """Return the chosen channels by type. Call after validation."""
        given = self.cleaned_data
        return {
            one.kind.name: Channels(email=given[f"email-{one.kind.name}"], chat=given[f"chat-{one.kind.name}"])
            for one in self.choices
        }

    def quiet(self) -> Quiet | None:
        """Return the quiet hours, or None if none are given."""
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return None if start is None or end is None else Quiet(start, end)


class ChatAddressForm(forms.ModelForm[ChatAddress]):
    """Chat address of a user; it is never shown after it is saved."""

    typed = forms.CharField(
        label="Address",
        max_length=1000,
        widget=forms.TextInput(attrs={"size": 80, "autocomplete": "off"}),
        help_text="In Apprise's form, such as slack://TokenA/TokenB/TokenC/#channel. It is kept sealed.",
    )

    class Meta:
        model = ChatAddress
        fields = ("person",)

    def clean_typed(self) -> str:
        """Return the address; raise ValidationError if its service is not permitted."""
        address: str = self.cleaned_data["typed"].strip()
        try:
            service_of(address)
        except NotAChatAddress as error:
            raise forms.ValidationError(str(error)) from error
        return address
