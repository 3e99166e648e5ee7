"""Admin forms for pipeline owners."""

from django import forms

from common.forms import MAX_OPTIONS, LineField
from people.queries import all_users
from pipelines.models import Pipeline
from pipelines.services import Owners

ROLES = ("primary", "secondary")


class OwnershipForm(forms.Form):
    """The ownership grid: a primary and a secondary owner per pipeline, saved all or none."""

    def __init__(self, *args: object, pipelines: list[Pipeline], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.pipelines = pipelines
        users = list(all_users())
        # Only the select of the bulk form lists everyone.
        self.is_long = len(pipelines) * len(ROLES) * len(users) > MAX_OPTIONS
        for pipeline in pipelines:
            for role in ROLES:
                owner, name = getattr(pipeline, f"{role}_owner"), f"{role}_{pipeline.pk}"
                choices = [(user.pk, user.display_name) for user in users if user.is_active or user.pk == owner.pk]
                self.fields[name] = field = forms.TypedChoiceField(
                    choices=choices,
                    coerce={str(user.pk): user for user in users}.get,
                    initial=owner.pk,
                    label=f"{role.capitalize()} owner of {pipeline}",
                )
                if self.is_long:
                    selected = str(self.data.get(name, owner.pk))
                    field.widget.choices = [(key, text) for key, text in choices if str(key) == selected]
                    field.widget.attrs["data-options"] = "bulk_engineer"

    def rows(self) -> list[tuple[Pipeline, forms.BoundField, forms.BoundField, list[str]]]:
        """Return each pipeline with its two fields and the errors of its row."""
        rows = []
        for pipeline in self.pipelines:
            primary, secondary = (self[f"{role}_{pipeline.pk}"] for role in ROLES)
            rows.append((pipeline, primary, secondary, [*primary.errors, *secondary.errors]))
        return rows

    def owners(self) -> dict[Pipeline, Owners]:
        """Return the selected owners of every pipeline."""
        return {
            pipeline: Owners(
                primary=self.cleaned_data[f"primary_{pipeline.pk}"],
                secondary=self.cleaned_data[f"secondary_{pipeline.pk}"],
            )
            for pipeline in self.pipelines
        }

    def clean(self) -> None:
        """Add an error to each row whose owners are the same person."""
        super().clean()
        for pipeline in self.pipelines:
            primary, secondary = (self.cleaned_data.get(f"{role}_{pipeline.pk}") for role in ROLES)
            if primary is not None and primary == secondary:
                self.add_error(f"secondary_{pipeline.pk}", "Primary and secondary owner must be two people.")


class OwnershipFilterForm(forms.Form):
    """Which pipelines the grid shows."""

    q = LineField(required=False, max_length=200, label="Name")
    owner = forms.ModelChoiceField(all_users(), required=False, to_field_name="username", empty_label="Everyone")


class BulkOwnerForm(forms.Form):
    """One owner for the selected pipelines. It shares a form with the grid, so the browser must not require its fields."""

    use_required_attribute = False

    role = forms.ChoiceField(choices=[(role, f"{role.capitalize()} owner") for role in ROLES])
    engineer = forms.ModelChoiceField(all_users().active(), label="Engineer")

    def owners(self, pipelines: list[Pipeline]) -> dict[Pipeline, Owners]:
        """Return the owners of these pipelines after the change. Requires a valid form."""
        role, engineer = self.cleaned_data["role"], self.cleaned_data["engineer"]
        return {
            pipeline: Owners(
                primary=engineer if role == "primary" else pipeline.primary_owner,
                secondary=engineer if role == "secondary" else pipeline.secondary_owner,
            )
            for pipeline in pipelines
        }


class ReassignForm(forms.Form):
    """Transfers everything that one person owns to another."""

    leaver = forms.ModelChoiceField(all_users(), label="From")
    successor = forms.ModelChoiceField(all_users().active(), label="To")

    def clean(self) -> None:
        """Add an error if both fields name the same person."""
        super().clean()
        leaver = self.cleaned_data.get("leaver")
        if leaver is not None and leaver == self.cleaned_data.get("successor"):
            self.add_error("successor", "Choose another person.")
