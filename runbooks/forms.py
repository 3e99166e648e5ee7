"""Forms of runbooks."""

from django import forms

from common.forms import LineField, MultilineField


class RunbookForm(forms.Form):
    """A runbook's text and the revision that it is based on."""

    markdown = MultilineField(
        strip=False,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "true", "class": "code-input"}),
        help_text=(
            "Markdown: headings, lists, tables, fenced code, task lists. Start each section with “### Title”. To collect evidence "
            "when an incident opens, add to a troubleshooting step a fenced block that starts with “sql source=” and a data "
            "source, or a line with “check: ” and a check’s slug."
        ),
    )
    summary = LineField(
        required=False, max_length=200, label="Summary of changes", help_text="Shown in the list of revisions."
    )
    based_on = forms.IntegerField(min_value=1, max_value=2_000_000_000, widget=forms.HiddenInput)


class NewRunbookForm(forms.Form):
    """The first text of a runbook."""

    markdown = RunbookForm.base_fields["markdown"]


class CompareForm(forms.Form):
    """Two revisions to compare."""

    old = forms.IntegerField(min_value=1, max_value=2_000_000_000)
    new = forms.IntegerField(min_value=1, max_value=2_000_000_000)
