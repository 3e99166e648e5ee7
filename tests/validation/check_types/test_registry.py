"""The package of check types is the registry: forms, the API, the database and the docs read it."""

import pytest
from django.db import IntegrityError, transaction

from tests.each import each
from tests.factories import make_pipeline
from validation.check_types import CHECK_TYPES
from validation.check_types.__main__ import PAGE, updated
from validation.forms import NewCheckForm, ParametersForm
from validation.models import Check


def test_the_docs_list_every_type():
    page = PAGE.read_text()
    assert updated(page) == page, "run python -m validation.check_types --write"


@pytest.mark.parametrize("check_type", CHECK_TYPES.values(), ids=CHECK_TYPES)
def test_a_type_describes_itself(check_type):
    assert all((check_type.label, check_type.summary, check_type.failure))
    assert len(check_type.name) <= 16
    assert all(parameter.label for parameter in check_type.declared_parameters)


@pytest.mark.parametrize("check_type", CHECK_TYPES.values(), ids=CHECK_TYPES)
def test_the_form_has_a_field_for_each_parameter(check_type):
    form = ParametersForm(check_type=check_type.name, parameters={})
    assert [field.label for field in form.fields.values()] == [one.label for one in check_type.declared_parameters]


def test_the_form_of_a_new_check_offers_every_type(db):
    assert dict(NewCheckForm().fields["check_type"].choices) == {one.name: one.label for one in CHECK_TYPES.values()}


@each("check_type", CHECK_TYPES)
def test_the_database_accepts_every_type(db, a, b, check_type):
    pipeline = make_pipeline("Orders", primary=a, secondary=b)
    Check.objects.create(pipeline=pipeline, name="Check", check_type=check_type, is_active=False)


def test_the_database_refuses_any_other_type(db, a, b):
    pipeline = make_pipeline("Orders", primary=a, secondary=b)
    with pytest.raises(IntegrityError, match="check_has_a_type"), transaction.atomic():
        Check.objects.create(pipeline=pipeline, name="Check", check_type="nothing", is_active=False)
