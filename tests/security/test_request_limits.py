"""Every list and text in a request has a limit, and the error names the field."""

import json

import pytest

from common.api.description import openapi_description
from tests.security.fuzz import right_call

pytestmark = pytest.mark.django_db

MANY = 20_001
LONG = 200_001
MAX_ANSWER_BYTES = 2_000
# Files of other tools. The size of the request limits them, and the tests of each format check its other limits.
OTHER_FORMATS = "/api/v1/integrations/"
# The body is a list. An error names its rows, not a field.
# Values longer than any limit, by type.
HOSTILE = {"string": "x" * LONG, "array": [None] * MANY, "object": {f"key {number}": 1 for number in range(MANY)}}
LISTS = {("POST", "/api/v1/metrics/{pipeline}/{slug}/points/")}


def request_fields():
    """Return method, path, name and type of each list, object and free text in the bodies of requests."""
    document = openapi_description()

    def resolve(schema):
        while "$ref" in schema or len(schema.get("allOf", ())) == 1:
            schema = schema["allOf"][0] if "allOf" in schema else schema
            schema = (
                document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
            )
        return schema

    actual = []
    for path, methods in document["paths"].items():
        for method, call in methods.items():
            body = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            for name, field in resolve(body).get("properties", {}).items():
                kind = resolve(field)
                is_text = kind.get("type") == "string" and not {"enum", "format"} & kind.keys()
                if kind.get("readOnly") or field.get("readOnly") or path.startswith(OTHER_FORMATS):
                    continue
                if is_text or kind.get("type") in ("array", "object"):
                    actual.append((method.upper(), path, name, kind["type"]))
    return actual


def test_a_list_or_text_that_is_too_long_is_a_400_that_names_its_field(world):
    fields, wrong = request_fields(), []
    for method, path, name, kind in fields:
        url, right = right_call(world, method, path)
        body = json.dumps({**right, name: HOSTILE[kind]}).encode()
        for actor in ("admin", "owner"):
            answer, _ = world.call(actor, method, url, raw=body)
            if answer.status_code != 404:
                break
        # One error for the whole list, not one for each of its items.
        is_short = len(answer.content) <= MAX_ANSWER_BYTES or kind == "string"
        fields_named = {field.partition(".")[0] for field in answer.json()}
        if answer.status_code not in (400, 413) or name not in fields_named or not is_short:
            wrong.append(f"{method} {path} {name}: {answer.status_code} {answer.content[:200]!r}")
    assert wrong == [], "\n".join(wrong)
    assert len(fields) > 60


def test_a_list_of_points_has_a_limit(world):
    [(method, path)] = LISTS
    url, right = right_call(world, method, path)
    answer, _ = world.call("admin", method, url, raw=json.dumps(right * MANY).encode())
    assert (answer.status_code, list(answer.json())) == (400, ["points"])
