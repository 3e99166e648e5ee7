"""What a person types into a runbook."""

from django import forms


class RunbookForm(forms.Form):
    """The text of a runbook, and the revision it was taken from."""

    markdown = forms.CharField(
        strip=False,
        label="Text",
        widget=forms.Textarea(attrs={"rows": 28, "spellcheck": "true", "class": "code-input"}),
        help_text="Markdown: headings, lists, tables, fenced code, task lists. A section begins with “### Title”.",
    )
    summary = forms.CharField(
        required=False, max_length=200, label="What changed and why", help_text="Shown in the list of revisions."
    )
    based_on = forms.IntegerField(min_value=1, max_value=2_000_000_000, widget=forms.HiddenInput)


class NewRunbookForm(forms.Form):
    """The first text of a runbook."""

    markdown = RunbookForm.base_fields["markdown"]


class SearchForm(forms.Form):
    """Words to search for."""

    q = forms.CharField(required=False, max_length=200)


class CompareForm(forms.Form):
    """Two revisions to set side by side."""

    old = forms.IntegerField(min_value=1, max_value=2_000_000_000)
    new = forms.IntegerField(min_value=1, max_value=2_000_000_000)
