"""Forms: a page opens at the first field with an error."""

import re

from django import forms

from common.forms import option_help


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


def test_the_help_of_each_option_names_its_select_and_is_escaped():
    assert option_help("kind", [("a", "A & B", "A <b>URL</b>.")]) == (
        '<div data-select="kind" data-option="a"><strong>A &amp; B</strong>: A &lt;b&gt;URL&lt;/b&gt;.</div>'
    )
