"""The API's OpenAPI description, pagination and errors."""

import datetime as dt
import html
import json
import re

from django.urls import resolve
from drf_spectacular.validation import validate_schema

from common.api.description import openapi_description
from common.api.unknown_fields import described_fields
from oncall_site.api.docs import Field
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation
from tests.each import each
from tests.factories import bearer, make_engineer


def test_the_openapi_description_is_valid(client, a):
    schema = openapi_description()
    validate_schema(schema)
    assert {"/api/v1/people/", "/api/v1/pipelines/{slug}/", "/api/v1/runbooks/{slug}/"} <= set(schema["paths"])
    assert client.get("/api/v1/schema/", **bearer(a)).json() == json.loads(json.dumps(schema))


def test_every_operation_has_a_described_tag_a_summary_and_its_error_responses():
    schema = openapi_description()
    described = {tag["name"] for tag in schema["tags"]}
    tags = set()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            call = f"{method} {path}"
            assert operation["summary"], call
            tags.update(operation["tags"])
            expected = {"401", "403"}
            if "requestBody" in operation:
                expected.add("400")
            if "{" in path:
                expected.add("404")
            if method != "get":
                expected.add("409")
            assert expected <= set(operation["responses"]), call
            bodies = [operation["responses"][status]["content"]["application/json"]["schema"] for status in expected]
            assert all(body for body in bodies), call
    assert tags == described


@each(
    "path",
    [
        "pipelines/nope/",
        "swaps/999/",
        "people/nobody/",
        "pipelines/nope/lineage/",
        "runbooks/nope/",
        "me/push-devices/9/",
    ],
)
def test_what_does_not_exist_is_not_named_by_its_class(client, a, path):
    answer = client.get(f"/api/v1/{path}", **bearer(a))
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


def test_generating_the_description_raises_no_warning(capsys, db):
    from django.core.management import call_command

    call_command("spectacular", "--fail-on-warn", "--file", "/dev/null")


def test_the_documentation_lists_every_operation_and_loads_nothing_external(signed_in, a):
    text = signed_in(a).get("/api/v1/docs/").content.decode()
    schema = openapi_description()
    for path, operations in schema["paths"].items():
        assert f"<code>{path}</code>" in text
        assert all(f'id="{call["operationId"]}"' in text for call in operations.values())
    assert "https://" not in text
    assert "<style" not in text


def test_the_documentation_is_searched_and_has_examples(signed_in, a):
    text = signed_in(a).get("/api/v1/docs/?q=/suggestions/").content.decode()
    assert re.findall(r"<code>(/api/v1/[^<]*)</code></h3>", text) == ["/api/v1/swaps/suggestions/"]
    text = html.unescape(signed_in(a).get("/api/v1/docs/?q=action-items").content.decode())
    assert 'curl -H "Authorization: Bearer $TOKEN" "http://testserver/api/v1/action-items/"' in text
    assert '<a class="button small" href="/api/v1/action-items/">Try it</a>' in text
    bodies = re.findall(r"-X POST -H \"Content-Type: application/json\" -d '(.*?)' ", text)
    assert json.loads(bodies[0]) == {"text": "text"}
    assert "0 operations" in signed_in(a).get("/api/v1/docs/?q=nothing+at+all").content.decode()


def test_every_operation_has_a_form_with_its_fields(signed_in, a):
    calls = signed_in(a).get("/api/v1/docs/").context["calls"]
    schema = openapi_description()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            call = calls[operation["operationId"]]
            assert (call["method"], call["path"]) == (method.upper(), path)
            fields = [field["name"] for field in call["fields"] if field["in"] == "path"]
            assert sorted(fields) == sorted(re.findall(r"\{(\w+)\}", path)), path
            assert ("body" in call) == ("requestBody" in operation), path
            assert call["changes"] == (method != "get" and not path.endswith("/preview/")), path
    create = calls["holidays_create"]
    assert create["body"] == {"starts_on": "2026-12-21", "ends_on": "2026-12-21"}
    assert [field["name"] for field in create["fields"]] == ["Idempotency-Key"]


def test_descriptions_are_shown_as_markdown(signed_in, a):
    page = signed_in(a).get("/api/v1/docs/")
    text = page.content.decode()
    assert "unit_test. Kind of node.</p>\n</dd>" in text
    assert "<h3>VerdictEnum</h3></summary>" in text
    assert "<ul>\n<li><code>safe</code></li>\n<li><code>not_yet</code></li>" in text
    [kind] = [field for field in page.context["calls"]["dbt_nodes_list"]["fields"] if field["name"] == "kind"]
    assert kind["help"] == "Kind of node."
    assert (
        Field("kind", "str", "* `sick` - Sick").html == "<p>str:</p>\n<ul>\n<li><code>sick</code> - Sick</li>\n</ul>\n"
    )
    assert Field("kind", "list of <b>", "").html == "list of &lt;b&gt;"


def test_lists_are_paginated(client, a):
    for number in range(12):
        make_engineer(f"Person {number:02}")
    headers = bearer(a)
    first = client.get("/api/v1/people/?page_size=5", **headers).json()
    assert (first["count"], len(first["results"]), first["previous"]) == (13, 5, None)
    second = client.get(first["next"], **headers).json()
    assert {row["username"] for row in first["results"]}.isdisjoint(row["username"] for row in second["results"])


@each("query", ["page=0", "page=x", "page=999", "page=%00", "page=" + "9" * 400])
def test_a_missing_page_is_a_404(client, a, query):
    answer = client.get(f"/api/v1/people/?{query}", **bearer(a))
    assert answer.status_code == 404
    assert "detail" in answer.json()


@each("size", ["0", "00", "-1", "x", "1.5", "%00", "9" * 400])
def test_a_page_size_that_is_no_number_of_rows_is_a_400(client, a, size):
    answer = client.get(f"/api/v1/people/?page_size={size}", **bearer(a))
    assert (answer.status_code, answer.json()) == (400, {"page_size": ["Enter a number from 1 to 500."]})


@each(("size", "rows"), [("", 100), ("1", 1), ("01", 1), ("500", 103), ("100000", 103)])
def test_a_page_has_100_rows_by_default_and_500_at_most(client, a, size, rows):
    for number in range(102):
        make_engineer(f"Person {number:03}")
    assert len(client.get(f"/api/v1/people/?page_size={size}", **bearer(a)).json()["results"]) == rows


def test_a_wrong_method_is_a_405_and_invalid_json_a_400(client, admin, daily_growth):
    headers = bearer(admin)
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    assert client.delete(path, **headers).status_code == 405
    answer = client.patch(path, "{not json", content_type="application/json", **headers)
    assert answer.status_code == 400
    assert "detail" in answer.json()
    assert client.patch(path, b"\xff\xfe", content_type="application/json", **headers).status_code == 400
    assert client.patch(path, "a=b", content_type="text/plain", **headers).status_code == 415


def test_a_person_has_these_fields(client, a):
    answer = client.get("/api/v1/people/engineer-a/", **bearer(a)).json()
    assert answer == {
        "username": "engineer-a",
        "name": "Engineer A",
        "phone": "",
        "time_zone": "UTC",
        "country": "",
        "subdivision": "",
        "colour": a.colour,
        "active": True,
        "admin": False,
    }


def test_instants_are_in_utc_for_a_user_in_another_time_zone(signed_in, admin):
    admin.time_zone = "Asia/Tokyo"
    admin.save()
    rotation = import_rotation(RotationText("Rotation", "", "Policy", "", ()), time_zone="UTC")
    monday = dt.date(2026, 11, 23)
    other = make_engineer("Somebody Else")
    at = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
    set_roster(rotation, engineers=[admin, other], starts_on=monday, at=at)
    create_cover(rotation, data=CoverData(other, at, at + dt.timedelta(hours=2), ""), by=admin, at=at)
    [cover] = signed_in(admin).get("/api/v1/covers/").json()["results"]
    assert cover["starts_at"].endswith("Z")
    assert cover["ends_at"].endswith("Z")


def test_an_unknown_field_is_a_400_in_every_operation(client, admin, daily_growth):
    """The description itself is the list of known fields, so that no operation can be left out."""
    headers, checked = bearer(admin), 0
    schema = openapi_description()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            url = re.sub(r"\{(\w+)\}", "1", path)
            match = resolve(url)
            if method.upper() not in described_fields(match.route, match.func):
                continue
            answer = getattr(client, method)(url, {"no_such_field": 1}, content_type="application/json", **headers)
            if answer.status_code == 404:  # the row of the path is looked up before the body is read
                continue
            assert answer.status_code == 400, (method, path, operation)
            assert answer.json()["no_such_field"] == ["Unknown field."], (method, path)
            checked += 1
    assert checked > 15


def test_an_unknown_field_changes_nothing(client, admin, daily_growth):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    answer = client.patch(path, {"name": "Other", "nmae": "x"}, content_type="application/json", **bearer(admin))
    assert (answer.status_code, answer.json()) == (400, {"nmae": ["Unknown field."]})
    daily_growth.refresh_from_db()
    assert daily_growth.name == "Daily growth"


def test_a_client_may_send_back_what_it_read(client, admin, daily_growth):
    path = f"/api/v1/pipelines/{daily_growth.slug}/"
    body = client.get(path, **bearer(admin)).json()
    assert (
        client.patch(path, body | {"audience": "x"}, content_type="application/json", **bearer(admin)).status_code
        == 200
    )
