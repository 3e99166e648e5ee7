"""Forms for notification settings."""

import re
from collections.abc import Iterable
from typing import Any

from django import forms

from common.exceptions import InvalidInputError
from common.forms import LineField, option_help
from notifications.channels.base import Channel
from notifications.channels.catalog import CHANNELS
from notifications.domain.rules import Step
from notifications.models import ContactMethod, Message, PhoneAccount, SlackApp
from notifications.queries.contact_methods import is_available
from notifications.queries.preferences import RuleSet, TypePreference
from notifications.services.contact_methods import check_address
from notifications.services.preferences import MAX_RULES, Quiet
from notifications.services.push_devices import MAX_NAME_LENGTH


class PreferencesForm(forms.Form):
    """Channels by type, one checkbox each, and quiet hours."""

    quiet_from = forms.TimeField(
        required=False, label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )
    quiet_until = forms.TimeField(
        required=False, label="Until", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    )

    quiet_weekends = forms.BooleanField(
        required=False,
        label="Include the whole weekend",
        help_text="With quiet hours from 17:00 to 09:00, you get non-urgent messages only in working hours.",
    )

    def __init__(
        self, *args: Any, preferences: list[TypePreference], reachable: list[Message.Channel], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.preferences, self.reachable = preferences, reachable
        for preference in preferences:
            for channel in reachable:
                self.fields[f"{channel}-{preference.type.name}"] = forms.BooleanField(
                    required=False,
                    initial=channel in preference.channels,
                    disabled=preference.type.urgent,
                    label=f"{preference.type.label}: {channel.label}",
                )

    def rows(self) -> list[tuple[TypePreference, list[tuple[Message.Channel, forms.BoundField]]]]:
        """Return each notification type with its checkboxes."""
        return [
            (row, [(channel, self[f"{channel}-{row.type.name}"]) for channel in self.reachable])
            for row in self.preferences
        ]

    def hours(self) -> list[forms.BoundField]:
        """Return the fields of the quiet hours."""
        return [self["quiet_from"], self["quiet_until"], self["quiet_weekends"]]

    def clean(self) -> None:
        """Add an error if only one of the two times is set."""
        super().clean()
        start, end = self.cleaned_data.get("quiet_from"), self.cleaned_data.get("quiet_until")
        if (start is None) != (end is None) and not self.errors:
            self.add_error("quiet_until" if end is None else "quiet_from", "Set both times or neither.")

    def channels(self) -> dict[str, list[str]]:
        """Return the enabled channels by type, without urgent types. Call after validation."""
        return {
            row.type.name: [
                channel.value for channel in self.reachable if self.cleaned_data[f"{channel}-{row.type.name}"]
            ]
            for row in self.preferences
            if not row.type.urgent
        }

    def quiet(self) -> Quiet | None:
        """Return the quiet hours, or None if they are empty."""
        start, end = self.cleaned_data["quiet_from"], self.cleaned_data["quiet_until"]
        return None if start is None or end is None else Quiet(start, end, self.cleaned_data["quiet_weekends"])


class RulesForm(forms.Form):
    """The rules of one urgency: up to `MAX_RULES` steps of a channel and a delay. Without any, the default applies."""

    def __init__(self, data: Any = None, *, rules: RuleSet, reachable: list[Message.Channel]) -> None:
        super().__init__(data, prefix=rules.urgency.value)
        self.rules = rules
        choices = [("", "–"), *((channel.value, channel.label) for channel in reachable)]
        steps = [] if rules.is_default else rules.steps
        for number in range(MAX_RULES):
            step = steps[number] if number < len(steps) else None
            self.fields[f"channel_{number}"] = forms.ChoiceField(
                choices=choices, required=False, label=f"Step {number + 1}", initial=step.channel if step else ""
            )
            self.fields[f"minutes_{number}"] = forms.IntegerField(
                required=False, min_value=0, label="After (min)", initial=step.delay_minutes if step else None
            )

    def step_fields(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Return the two fields of each step."""
        return [(self[f"channel_{number}"], self[f"minutes_{number}"]) for number in range(MAX_RULES)]

    def steps(self) -> list[Step]:
        """Return the steps, without empty ones. Call after validation."""
        data = self.cleaned_data
        return [
            Step(data[f"minutes_{number}"] or 0, data[f"channel_{number}"])
            for number in range(MAX_RULES)
            if data[f"channel_{number}"]
        ]


def _address_help(channels: Iterable[Channel]) -> str:
    """Return the address format of each channel, one per line."""
    return option_help(
        "channel", ((channel.name, Message.Channel(channel.name).label, channel.address_help) for channel in channels)
    )


class ContactMethodForm(forms.ModelForm[ContactMethod]):
    """An address for a channel; it is never shown after it is saved. On the Notifications page it is for oneself."""

    typed = LineField(
        label="Address",
        max_length=2000,
        widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off"}),
    )

    class Meta:
        model = ContactMethod
        fields: tuple[str, ...] = ("person", "channel")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["typed"].help_text = _address_help(CHANNELS.values())

    def clean(self) -> dict[str, Any]:
        """Add an error if the address is invalid for the channel."""
        data = super().clean() or self.cleaned_data
        if data.get("channel") and data.get("typed"):
            try:
                check_address(data["channel"], data["typed"].strip())
            except InvalidInputError as error:
                self.add_error("typed", error.problems["address"])
        return data


class PhoneAccountForm(forms.ModelForm[PhoneAccount]):
    """The account for SMS and calls; its secret is never shown after it is saved."""

    typed_token = LineField(
        label="Auth token",
        max_length=64,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Leave empty to keep the saved token.",
    )

    class Meta:
        model = PhoneAccount
        fields = ("account_sid", "from_number")

    def clean(self) -> dict[str, Any]:
        """Add an error if there is no secret, or if the number or the SID is malformed."""
        data = super().clean() or self.cleaned_data
        if not data.get("typed_token") and self.instance.pk is None:
            self.add_error("typed_token", "Enter the auth token.")
        if not re.fullmatch(r"\+[1-9][0-9]{7,14}", data.get("from_number", "")):
            self.add_error("from_number", "Enter a number such as +15005550006.")
        if not re.fullmatch(r"AC[0-9a-fA-F]{32}", data.get("account_sid", "")):
            self.add_error("account_sid", "Enter the account SID: AC followed by 32 characters.")
        return data


class SlackAppForm(forms.ModelForm[SlackApp]):
    """The Slack app; its secrets are never shown after they are saved."""

    typed_token = LineField(
        label="Bot token",
        max_length=255,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Starts with xoxb-. Leave empty to keep the saved token.",
    )
    typed_secret = LineField(
        label="Signing secret",
        max_length=255,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="32 characters, on the app’s page “Basic Information”. Leave empty to keep the saved secret.",
    )

    class Meta:
        model = SlackApp
        fields: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        """Add an error if a secret is missing or is another kind of token."""
        data = super().clean() or self.cleaned_data
        token, secret = data.get("typed_token", ""), data.get("typed_secret", "")
        is_new = self.instance.pk is None
        if (token or is_new) and not re.fullmatch(r"xoxb-[A-Za-z0-9-]+", token):
            self.add_error("typed_token", "Enter the bot token, which starts with xoxb-.")
        if (secret or is_new) and not re.fullmatch(r"[0-9a-fA-F]{32}", secret):
            self.add_error("typed_secret", "Enter the signing secret: 32 characters from 0 to 9 and a to f.")
        return data


class OwnContactMethodForm(ContactMethodForm):
    """The user's own contact method; chat addresses are for admins."""

    class Meta(ContactMethodForm.Meta):
        fields = ("channel",)

    def __init__(self, *args: Any, is_admin: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        available = {
            channel.name: channel
            for channel in CHANNELS.values()
            if is_available(channel.name) and (is_admin or not channel.admins_only)
        }
        field = self.fields["channel"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # nosec B101  # for mypy
        field.choices = [(name, Message.Channel(name).label) for name in available]
        self.fields["typed"].help_text = _address_help(available.values())


class DeviceNameForm(forms.Form):
    """The name of a device with push."""

    name = LineField(label="Name", max_length=MAX_NAME_LENGTH)
