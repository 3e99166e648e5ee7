"""Every text field of a model, form and API body refuses the characters that `common.text` forbids."""

import importlib
import pkgutil
import re

import pytest
from django import forms
from django.apps import apps
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import models
from drf_spectacular.generators import SchemaGenerator
from pghistory.models import Event
from rest_framework import serializers

from common.api.fields import MultilineField as MultilineApiField
from common.exceptions import InvalidInputError
from common.fields import EncryptedTextField
from common.text import clean_text, one_line, printable
from people.models import User
from tests.each import each

APPS = (
    "common",
    "people",
    "notifications",
    "pipelines",
    "runbooks",
    "scheduling",
    "validation",
    "team_channels",
    "incidents",
    "handoffs",
    "calendar_feeds",
    "handbook",
    "lineage",
    "readiness",
    "oncall_site",
)
# Line feed, NUL, line separator, right-to-left override, escape, C1 control, isolate.
IN_TEXT = "\0\u2028\u202e\x1b\x85\u2066"
IN_LINE = f"\n\r\t{IN_TEXT}"


def accepted(clean, *, characters):
    """Return the characters that a field accepts in the middle of a text, as `U+000A`."""
    codes = []
    for character in characters:
        try:
            clean(f"a{character}b")
        except (ValidationError, serializers.ValidationError):
            continue
        codes.append(f"U+{ord(character):04X}")
    return codes


def test_every_model_field_refuses_forbidden_characters():
    checked, accepting = 0, {}
    for model in apps.get_models():
        if model._meta.app_label not in APPS or issubclass(model, Event):
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, models.CharField | models.TextField) or isinstance(field, EncryptedTextField):
                continue
            # A choice is one of a list, a password is stored as a hash, and the site itself writes what nobody edits.
            if field.choices or field.name == "password" or not field.editable:
                continue
            characters = IN_TEXT if isinstance(field, models.TextField) else IN_LINE
            checked += 1
            if codes := accepted(lambda text, field=field: field.clean(text, None), characters=characters):
                accepting[f"{model.__name__}.{field.name}"] = codes
    assert accepting == {}
    assert checked > 100


def form_classes():
    for app in APPS:
        package = importlib.import_module(app)
        for module in pkgutil.iter_modules(package.__path__, f"{app}."):
            if module.name.rpartition(".")[2] in ("forms", "admin"):
                importlib.import_module(module.name)
    pending = [forms.BaseForm]
    while pending:
        for form in pending.pop().__subclasses__():
            pending.append(form)
            model = getattr(getattr(form, "_meta", None), "model", None)
            is_ours = model is None or model._meta.app_label in APPS
            # Sign-in looks a name up and saves nothing.
            if form.__module__.partition(".")[0] in APPS and is_ours and not issubclass(form, AuthenticationForm):
                yield form


def test_every_form_field_refuses_forbidden_characters():
    checked, accepting = 0, {}
    for form in form_classes():
        for name, field in form.base_fields.items():
            # Nobody sees a password, and a hash is made of it at once.
            if not isinstance(field, forms.CharField) or isinstance(field.widget, forms.PasswordInput):
                continue
            characters = IN_TEXT if isinstance(field.widget, forms.Textarea | forms.HiddenInput) else IN_LINE
            checked += 1
            codes = set(accepted(field.clean, characters=characters))
            if (
                codes
                and issubclass(form, forms.BaseModelForm)
                and name in {one.name for one in form._meta.model._meta.fields}
            ):
                column = form._meta.model._meta.get_field(name)
                codes &= set(accepted(lambda text, column=column: column.clean(text, None), characters=characters))
            if codes:
                accepting[f"{form.__module__}.{form.__name__}.{name}"] = sorted(codes)
    assert accepting == {}
    assert checked > 40


def request_serializers():
    """Return the serializers of the bodies in the OpenAPI description, nested ones included."""
    generator = SchemaGenerator()
    schema = generator.get_schema(public=True)
    bodies = [
        operation["requestBody"]
        for operations in schema["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    pending, names = bodies, set()
    while pending:
        for name in re.findall(r"#/components/schemas/(\w+)", str(pending.pop())):
            if name not in names:
                names.add(name)
                pending.append(schema["components"]["schemas"][name])
    components = {name: component.object for (name, _), component in generator.registry._components.items()}
    return {name: components[name] for name in names if isinstance(components[name], serializers.BaseSerializer)}


def test_every_field_of_an_api_body_refuses_forbidden_characters():
    checked, accepting = 0, {}
    for name, serializer in request_serializers().items():
        for field_name, outer in getattr(serializer, "fields", {}).items():
            field = getattr(outer, "child", outer)
            if not isinstance(field, serializers.CharField) or outer.read_only:
                continue
            is_text = isinstance(field, MultilineApiField) or field.style.get("base_template") == "textarea.html"
            checked += 1
            if codes := accepted(field.run_validation, characters=IN_TEXT if is_text else IN_LINE):
                accepting[f"{name}.{field_name}"] = codes
    assert accepting == {}
    assert checked > 40


def test_an_email_address_has_no_control_characters():
    # RFC 5322 allows them in a quoted local part, and so does Django.
    with pytest.raises(ValidationError):
        User._meta.get_field("email").clean('"\x01"@example.org', None)


@each(
    ("text", "error"),
    [
        ("a\nb", "Use one line: remove the line break."),
        ("a\u2028b", "Use one line: remove the line break."),
        ("a\tb", "Use one line: remove the tab."),
        ("a\0b", "Null characters are not allowed."),
        ("a\u202eb", "Remove the control character U+202E."),
        ("a\x1bb", "Remove the control character U+001B."),
    ],
)
def test_a_line_says_which_character_to_remove(text, error):
    with pytest.raises(InvalidInputError) as caught:
        clean_text(text, field="title", max_length=10, is_line=True)
    assert caught.value.problems == {"title": [error]}


@each(
    ("text", "error"),
    [
        ("a\u202eb", "Remove the control character U+202E."),
        ("\na\u202eb", "Remove the control character U+202E in line 2."),
        ("a\r\n\r\n\x1bb\nc\u202e", "Remove the control character U+001B in line 3."),
    ],
)
def test_a_text_of_several_lines_says_in_which_line_it_is(text, error):
    with pytest.raises(InvalidInputError) as caught:
        clean_text(text, field="note", max_length=100)
    assert caught.value.problems == {"note": [error]}


@each("text", ["a\nb", "a\r\nb", "a\tb", "שלום\u200f", "👩\u200d🚒", "李 Wei", "a\u00a0b"])
def test_a_text_may_have_lines_tabs_and_every_script(text):
    assert clean_text(text, field="note", max_length=10) == text


def test_text_of_other_tools_is_made_printable():
    assert one_line("a\n b\tc\u202ed\0") == "a b c\ufffdd\ufffd"
    assert printable("a\nb\x1b[31m") == "a\nb\ufffd[31m"
