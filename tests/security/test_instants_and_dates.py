"""Instants need a zone, times of day have none, and dates lie between 2000 and 2100: all else is a 400 that names the field."""

import json
import re

import pytest

from common.api.description import openapi_description
from common.datetimes import INVALID_DATE, INVALID_INSTANT, INVALID_TIME_OF_DAY, OUT_OF_RANGE_DATE
from tests.security.fuzz import right_call
from tests.security.permission_matrix import RULES
from tests.security.test_permission_matrix import split_key

pytestmark = pytest.mark.django_db

INVALID = {"date-time": INVALID_INSTANT, "date": INVALID_DATE, "time": INVALID_TIME_OF_DAY}
VALUES = {
    "date-time": [
        "2026-12-03T12:00:00",
        "2026-12-03",
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2100-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "tomorrow",
        1_796_299_200,
        {},
    ],
    "date": [
        "0001-01-01",
        "1999-12-31",
        "2100-01-01",
        "9999-12-31",
        "2026-02-29",
        "2026-12-03T12:00:00Z",
        20261203,
        [],
    ],
    "time": ["09:30+05:00", "09:30Z", "9.30", "25:00", "2026-12-03T09:30:00Z", 930, []],
}


def calls():
    """Yield method, path, format and fields for each operation whose body has instants or dates."""
    schema = openapi_description()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            described = schema["components"]["schemas"].get(body.get("$ref", "").rpartition("/")[2], body)
            properties = described.get("properties", {})
            for form in INVALID:
                fields = [name for name, value in properties.items() if value.get("format") == form]
                if fields:
                    yield method.upper(), path, form, fields


def test_the_calls_with_instants_and_dates_are_found():
    found = {f"{method} {path} {form}" for method, path, form, _ in calls()}
    assert {
        "POST /api/v1/covers/ date-time",
        "POST /api/v1/runs/ date-time",
        "PATCH /api/v1/handoffs/{id}/ date-time",
        "POST /api/v1/known-events/ date",
        "POST /api/v1/swaps/ date",
    } <= found


def test_a_wrong_instant_or_date_is_refused_by_field(world):
    wrong = {}
    for method, path, form, fields in calls():
        there, right = right_call(world, method, path)
        for value in VALUES[form]:
            body = json.dumps({**right, **dict.fromkeys(fields, value)}).encode()
            answer, writes = world.call("admin's token", method, there, raw=body)
            expected = (400, {name: [INVALID[form]] for name in fields}, [])
            if (answer.status_code, answer.json(), writes) != expected:
                wrong[f"{method} {path} {value}"] = (answer.status_code, answer.json(), writes)
    assert wrong == {}


def test_a_date_out_of_range_is_refused_on_every_page(world):
    wrong, found = {}, set()
    for key, rule in RULES.items():
        method, template = split_key(key)
        form = rule.body if isinstance(rule.body, dict) else {}
        fields = [name for name, value in form.items() if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value))]
        if template.startswith(("/api/", "/admin/")) or not fields:
            continue
        actor = next(actor for actor in ("owner", "admin") if actor in rule.who)
        for value in ("0001-01-01", "9999-12-31"):
            found.add(template)
            answer, writes = world.call(actor, method, world.fill(template), {**form, **dict.fromkeys(fields, value)})
            if (answer.status_code, writes) != (400, []) or OUT_OF_RANGE_DATE not in answer.content.decode():
                wrong[f"{key} {value}"] = (answer.status_code, writes)
    assert wrong == {}
    assert {"/calendar/add/", "/checks/{check}/events/", "/me/tokens/"} <= found
