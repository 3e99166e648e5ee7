"""A text has the same limit in the model, the form, the API and the handbook."""

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from pghistory.models import Event
from rest_framework import serializers

from common.forms import MultilineField
from handoffs.models import HandoffPolicy, HandoffTopic
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain import handbook_model
from runbooks.models import RunbookSection
from scheduling.models import Rotation
from tests.common.test_text_fields import APPS, form_classes, request_serializers
from tests.each import each

# Names that mean different things in different tables of an app, with different limits.
OTHER_MEANINGS = {("notifications", "address"), ("people", "name")}
# A data source has a name too, and only the admin has a form for it.
ADMIN_ONLY = {("validation", "name")}


def model_limits():
    """Return the limits of the text columns that people write, by app and name."""
    limits = {}
    for model in apps.get_models():
        if model._meta.app_label not in APPS or issubclass(model, Event):
            continue
        for field in model._meta.get_fields():
            if isinstance(field, models.CharField | models.TextField) and field.editable and not field.choices:
                limits.setdefault((model._meta.app_label, field.name), set()).add(field.max_length)
    return limits


def form_limits():
    """Return the limits of the forms' text fields, by app and name."""
    limits = {}
    for form in form_classes():
        for name, field in form.base_fields.items():
            if getattr(field, "max_length", None) is not None:
                limits.setdefault((form.__module__.partition(".")[0], name), set()).add(field.max_length)
    return limits


def api_limits():
    """Return the limits of the text fields of API bodies, by app and name."""
    limits = {}
    for serializer in request_serializers().values():
        for name, field in getattr(serializer, "fields", {}).items():
            if isinstance(field, serializers.CharField) and not field.read_only and field.max_length is not None:
                limits.setdefault((type(serializer).__module__.partition(".")[0], name), set()).add(field.max_length)
    return limits


def test_forms_and_api_bodies_have_the_limits_of_their_columns():
    columns, forms, bodies = model_limits(), form_limits(), api_limits()
    for limits in (forms, bodies):
        shared = (limits.keys() & columns.keys()) - OTHER_MEANINGS
        assert len(shared) > 15
        assert {key: limits[key] for key in shared if not limits[key] <= columns[key]} == {}


def test_forms_and_api_bodies_have_the_same_limits():
    forms, bodies = form_limits(), api_limits()
    shared = (forms.keys() & bodies.keys()) - OTHER_MEANINGS - ADMIN_ONLY
    assert len(shared) > 15
    assert {key: (forms[key], bodies[key]) for key in shared if forms[key] != bodies[key]} == {}


@each(
    ("limit", "model", "field"),
    [
        ("MAX_PERSON_LENGTH", User, "display_name"),
        ("MAX_PIPELINE_LENGTH", Pipeline, "name"),
        ("MAX_AUDIENCE_LENGTH", Pipeline, "audience"),
        ("MAX_TITLE_LENGTH", Rotation, "name"),
        ("MAX_TITLE_LENGTH", Rotation, "policy_name"),
        ("MAX_TITLE_LENGTH", HandoffPolicy, "name"),
        ("MAX_INTRODUCTION_LENGTH", Rotation, "description"),
        ("MAX_TOPIC_LENGTH", HandoffTopic, "title"),
        ("MAX_SECTION_TITLE_LENGTH", RunbookSection, "title"),
    ],
)
def test_the_handbook_has_the_limits_of_the_columns(limit, model, field):
    assert getattr(handbook_model, limit) == model._meta.get_field(field).max_length


def test_a_column_of_several_lines_refuses_longer_text():
    field = Rotation._meta.get_field("description")
    assert field.clean("x" * field.max_length, None) == "x" * field.max_length
    with pytest.raises(ValidationError):
        field.clean("x" * (field.max_length + 1), None)


def test_a_line_break_is_one_character():
    assert MultilineField(max_length=3).clean("a\r\nb") == "a\nb"


def test_a_line_break_is_one_character_in_the_admin_too():
    field = Rotation._meta.get_field("description")
    half = field.max_length // 2
    assert field.formfield().clean("a\r\n" * half) == "\n".join("a" * half)
