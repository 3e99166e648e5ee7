"""Forms of channels."""

from typing import Any

from django import forms

from common.forms import CheckboxList, LineField, option_help
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS, INCIDENT_EVENTS, SHIFT_EVENTS
from team_channels.kinds.catalog import KINDS
from team_channels.models import MAX_NAME_LENGTH, TeamChannel
from team_channels.services.channels import available_kinds, event_choices

MAX_ADDRESS_LENGTH = 2000
NAME_HELP = "The name that your team uses, such as #data-alerts."


class EditChannelForm(forms.Form):
    """Form for a channel's name, address and events. An empty address keeps the saved one."""

    name = LineField(max_length=MAX_NAME_LENGTH, help_text=NAME_HELP)
    address = LineField(
        label="New address",
        max_length=MAX_ADDRESS_LENGTH,
        required=False,
        help_text="Leave empty to keep the saved address.",
    )
    events = forms.MultipleChoiceField(
        label="Sends", widget=CheckboxList(is_wide=True), error_messages={"required": "Choose at least one event."}
    )

    user_group = LineField(
        label="Slack user group",
        max_length=32,
        required=False,
        help_text="The ID of a user group in Slack, such as S0123ABCD. Its members are set to the engineers on call.",
    )

    def __init__(self, *args: Any, owner: Pipeline | Rotation, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = event_choices(owner)
        field = self.fields["events"]
        if isinstance(field, forms.MultipleChoiceField):
            field.choices = list(choices.items())
        field.initial = list(INCIDENT_EVENTS if isinstance(owner, Pipeline) else SHIFT_EVENTS)
        if not (isinstance(owner, Rotation) and kind == TeamChannel.Kind.SLACK):
            del self.fields["user_group"]


class NewChannelForm(EditChannelForm):
    """A new channel."""

    kind = forms.ChoiceField(label="Service")
    address = LineField(max_length=MAX_ADDRESS_LENGTH)

    field_order = ("kind", "name", "address", "user_group", "events")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kinds = available_kinds()
        slack = TeamChannel.Kind.SLACK if TeamChannel.Kind.SLACK in kinds else ""
        super().__init__(*args, kind=slack, **kwargs)
        field = self.fields["kind"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [(name, TeamChannel.Kind(name).label) for name in kinds]
        self.fields["address"].help_text = option_help(
            "kind", ((name, TeamChannel.Kind(name).label, KINDS[name].address_help) for name in kinds)
        )


def initial_values(channel: TeamChannel) -> dict[str, Any]:
    """Return the initial values of a channel's form."""
    return {
        "name": channel.name,
        "user_group": channel.user_group,
        "events": [event for event in channel.events if event in EVENTS],
    }
