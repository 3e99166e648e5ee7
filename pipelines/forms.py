"""What an admin types about ownership."""

from django import forms

from people.queries import all_users
from pipelines.models import Pipeline
from pipelines.services import Owners


class OwnershipForm(forms.Form):
    """The ownership grid: a primary and a secondary owner for each pipeline, saved all or none."""

    def __init__(self, *args: object, pipelines: list[Pipeline], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.pipelines = pipelines
        people = list(all_users())
        for pipeline in pipelines:
            for half in ("primary", "secondary"):
                owner = getattr(pipeline, f"{half}_owner")
                field = forms.TypedChoiceField(
                    choices=[(p.pk, p.display_name) for p in people if p.is_active or p.pk == owner.pk],
                    coerce={str(p.pk): p for p in people}.get,
                    initial=owner.pk,
                    label=f"{half.capitalize()} owner of {pipeline}",
                )
                self.fields[f"{half}_{pipeline.pk}"] = field

    def rows(self) -> list[tuple[Pipeline, forms.BoundField, forms.BoundField, list[str]]]:
        """Return each pipeline with its two fields and what is wrong in its row."""
        return [
            (
                pipeline,
                self[f"primary_{pipeline.pk}"],
                self[f"secondary_{pipeline.pk}"],
                [*self[f"primary_{pipeline.pk}"].errors, *self[f"secondary_{pipeline.pk}"].errors],
            )
            for pipeline in self.pipelines
        ]

    def owners(self) -> dict[Pipeline, Owners]:
        """Return what was chosen, for every pipeline."""
        return {
            pipeline: Owners(
                primary=self.cleaned_data[f"primary_{pipeline.pk}"],
                secondary=self.cleaned_data[f"secondary_{pipeline.pk}"],
            )
            for pipeline in self.pipelines
        }

    def clean(self) -> None:
        """Mark each row whose two owners are one person."""
        super().clean()
        for pipeline in self.pipelines:
            chosen = [self.cleaned_data.get(f"{half}_{pipeline.pk}") for half in ("primary", "secondary")]
            if chosen[0] is not None and chosen[0] == chosen[1]:
                self.add_error(f"secondary_{pipeline.pk}", "Primary and secondary owner must be two people.")


class ReassignForm(forms.Form):
    """Everything one person owns goes to another."""

    leaver = forms.ModelChoiceField(all_users(), label="Everything owned by")
    successor = forms.ModelChoiceField(all_users().active(), label="goes to")

    def clean(self) -> None:
        """Refuse one person for both."""
        super().clean()
        leaver = self.cleaned_data.get("leaver")
        if leaver is not None and leaver == self.cleaned_data.get("successor"):
            self.add_error("successor", "Choose another person.")
