"""Forms of lineage pages."""

from collections.abc import Sequence
from typing import Any

from django import forms

from common.forms import LineField
from lineage.services.drift import ShownOwners
from pipelines.models import Pipeline

DEFAULT_DEPTH = 2
DEPTHS = [("1", "1 step"), ("2", "2 steps"), ("3", "3 steps"), ("all", "All")]

CODE_OWNER, SITE_OWNER = "code", "site"


class DriftForm(forms.Form):
    """The owner of a pipeline that is right, and the owners that the page showed."""

    side = forms.ChoiceField(choices=[(CODE_OWNER, "Owner in code"), (SITE_OWNER, "Owner on this site")])
    code_name = LineField(required=False, strip=False)
    code_email = LineField(required=False, strip=False)
    code_owner = LineField(required=False)
    primary_owner = LineField(required=False)

    @property
    def shown(self) -> ShownOwners:
        """The owners that the page showed; None for a field that was not sent."""
        return ShownOwners(**{name: self.cleaned_data[name] for name in SHOWN_OWNER_FIELDS if name in self.data})


SHOWN_OWNER_FIELDS = ("code_name", "code_email", "code_owner", "primary_owner")


class LineageForm(forms.Form):
    """The pipeline to look at and how many steps around it."""

    depth = forms.ChoiceField(label="Steps", required=False, choices=DEPTHS, initial=str(DEFAULT_DEPTH))

    def __init__(self, *args: Any, pipelines: Sequence[Pipeline], **options: Any) -> None:
        super().__init__(*args, **options)
        self.pipelines = {row.slug: row for row in pipelines}
        choices = [("", "All pipelines"), *((row.slug, str(row)) for row in pipelines)]
        self.fields["focus"] = forms.ChoiceField(label="Pipeline", required=False, choices=choices)
        self.order_fields(("focus", "depth"))

    def choice(self) -> tuple[Pipeline | None, int | None]:
        """Return the pipeline, or None for all, and the number of steps, or None for all; the defaults if the form is invalid."""
        if not self.is_bound or not self.is_valid():
            return None, DEFAULT_DEPTH
        depth = self.cleaned_data["depth"] or str(DEFAULT_DEPTH)
        return self.pipelines.get(self.cleaned_data["focus"]), None if depth == "all" else int(depth)
