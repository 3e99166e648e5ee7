"""Forms: a page opens at the first field with an error."""

import re

from django import forms


class Example(forms.Form):
    name = forms.CharField()
    days = forms.IntegerField()
    kind = forms.ChoiceField(choices=[("a", "A")])


def focused(form):
    return re.findall(r'<(?:input|select)[^>]*name="(\w+)"[^>]* autofocus', str(form))


def test_the_first_field_with_an_error_has_the_focus():
    assert focused(Example({"name": "x", "days": "many", "kind": "b"})) == ["days"]
    assert focused(Example({"name": "", "days": "many", "kind": "b"})) == ["name"]


def test_a_form_without_errors_takes_no_focus():
    assert focused(Example()) == []
    assert focused(Example({"name": "x", "days": "1", "kind": "a"})) == []
