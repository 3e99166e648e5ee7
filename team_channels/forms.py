"""Forms of channels."""

from typing import Any

from django import forms

from common.forms import LineField
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS, INCIDENT_EVENTS, SHIFT_EVENTS
from team_channels.kinds.catalog import KINDS
from team_channels.models import MAX_NAME_LENGTH, TeamChannel
from team_channels.services.channels import event_choices

MAX_ADDRESS_LENGTH = 2000
NAME_HELP = "As your team calls it, such as #data-alerts."


class EditChannelForm(forms.Form):
    """A channel's name, address and events. Without an address it keeps the one it has."""

    name = LineField(max_length=MAX_NAME_LENGTH, help_text=NAME_HELP)
    address = LineField(
        label="New address",
        max_length=MAX_ADDRESS_LENGTH,
        required=False,
        help_text="Leave empty to keep the saved address.",
    )
    events = forms.MultipleChoiceField(
        label="Sends", widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one event."}
    )

    def __init__(self, *args: Any, owner: Pipeline | Rotation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = event_choices(owner)
        field = self.fields["events"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(choices.items())
        field.initial = list(INCIDENT_EVENTS if isinstance(owner, Pipeline) else SHIFT_EVENTS)


class NewChannelForm(EditChannelForm):
    """A new channel."""

    kind = forms.ChoiceField(label="Service", choices=[(name, TeamChannel.Kind(name).label) for name in KINDS])
    address = LineField(max_length=MAX_ADDRESS_LENGTH)

    field_order = ("kind", "name", "address", "events")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].help_text = "<br>".join(
            f"{TeamChannel.Kind(name).label}: {kind.address_help}" for name, kind in KINDS.items()
        )


def initial_values(channel: TeamChannel) -> dict[str, Any]:
    """Return the values with which a channel's form starts."""
    return {"name": channel.name, "events": [event for event in channel.events if event in EVENTS]}
