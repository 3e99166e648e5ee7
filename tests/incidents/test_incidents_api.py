"""The API of incidents."""

import pytest
from django.utils import timezone

from incidents.models import Incident
from incidents.services.transitions import resolve
from notifications.models import Message
from tests.factories import bearer
from tests.incidents.test_incidents import make_incident

JSON = "application/json"
SLUG = "daily-growth-experiment-focused"
FIELDS = {"pipeline": SLUG, "kind": "delay", "title": "Logs are late", "text": "Since six."}


@pytest.fixture
def call(client, pipeline, a):
    """Return a function that calls the API as Engineer A, or as another user."""

    def do(method, path, given=None, *, by=a):
        ask = getattr(client, method)
        options = bearer(by)
        if method == "get":
            return ask(f"/api/v1/incidents/{path}", **options)
        return ask(f"/api/v1/incidents/{path}", given or {}, content_type=JSON, **options)

    return do


def test_an_incident_is_opened_listed_and_read(call, a):
    answer = call("post", "", FIELDS)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert {name: row[name] for name in FIELDS} == FIELDS
    assert (row["state"], row["source"], row["opened_by"], row["assignee"]) == ("open", "api", "engineer-a", None)
    assert row["opened_at"].endswith("Z")
    assert [entry["kind"] for entry in row["timeline"]] == ["opened", "notified"]
    assert len(row["notified"]) == 1
    assert row["steps"] == []
    listed = call("get", "").json()
    assert set(listed) == {"count", "next", "previous", "results"}
    assert listed["results"][0]["id"] == row["id"]
    assert call("get", f"{row['id']}/").json() == row
    assert Message.objects.count() == 1


def test_an_incident_opened_in_a_session_has_source_person(signed_in, pipeline, b):
    answer = signed_in(b).post("/api/v1/incidents/", FIELDS, content_type=JSON)
    assert answer.json()["source"] == "person"


def test_an_incident_passes_through_all_its_states(call, a, b):
    path = f"{call('post', '', FIELDS).json()['id']}/"
    row = call("post", f"{path}acknowledge/").json()
    assert (row["state"], row["acknowledged_by"], row["assignee"]) == ("acknowledged", "engineer-a", "engineer-a")
    assert call("post", f"{path}acknowledge/", by=b).status_code == 409
    assert call("post", f"{path}notes/", {"text": "Looking."}).status_code == 201
    assert [note["text"] for note in call("get", f"{path}notes/").json()["results"]] == ["Looking."]
    row = call("post", f"{path}reassign/", {"engineer": "engineer-b", "text": "Bye."}).json()
    assert row["assignee"] == "engineer-b"
    step = call("post", f"{path}steps/", {"position": 1, "note": "Late upstream.", "done": True}, by=b).json()
    assert (step["done"], step["done_by"], step["note"], step["revision"]) == (True, "engineer-b", "Late upstream.", 1)
    assert call("post", f"{path}steps/", {"position": 1}, by=a).status_code == 409
    assert call("post", f"{path}steps/", {"position": 2}, by=a).json()["done"] is True
    steps = call("get", f"{path}steps/").json()
    assert (steps["count"], [row["done"] for row in steps["results"]]) == (3, [True, True, False])
    row = call("post", f"{path}resolve/", {"text": "Caught up.", "fixed_by_step": 1}, by=b).json()
    assert (row["state"], row["resolved_by"]) == ("resolved", "engineer-b")
    assert [step["fixed_incident"] for step in row["steps"]] == [True, False, False]
    for action in ("acknowledge", "resolve", "steps", "run"):
        assert call("post", f"{path}{action}/", {"position": 3}).status_code == 409, action
    assert call("post", f"{path}reassign/", {"engineer": "engineer-a"}).status_code == 409
    row = call("post", f"{path}reopen/", {"text": "Late again."}).json()
    assert (row["state"], row["notified"][-1]["round"]) == ("open", 2)
    assert call("post", f"{path}reopen/").status_code == 409
    assert call("post", f"{path}run/").status_code == 201
    assert call("post", f"{path}run/").status_code == 409


def test_an_incident_is_edited(call):
    path = f"{call('post', '', FIELDS).json()['id']}/"
    row = call("patch", path, {"kind": "outage"}).json()
    assert (row["kind"], row["title"]) == ("outage", "Logs are late")
    assert call("patch", path, {"kind": "storm"}).status_code == 400


def test_the_list_filters_by_pipeline_and_state(call, pipeline, a):
    now = timezone.now()
    one, two = (make_incident(pipeline, at=now, title=str(place)) for place in (1, 2))
    resolve(one, by=a, at=now)
    for query, found in (
        ("", [two.pk, one.pk]),
        ("?state=open", [two.pk]),
        ("?state=unresolved", [two.pk]),
        ("?state=resolved", [one.pk]),
        (f"?pipeline={SLUG}&state=acknowledged", []),
        ("?pipeline=aggregate-profit-investor-reporting", []),
    ):
        assert [row["id"] for row in call("get", query).json()["results"]] == found, query
    assert call("get", "?state=x").status_code == 400
    assert call("get", "?pipeline=nothing").status_code == 400
    assert call("get", "?pipeline=%00").status_code == 400


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"pipeline": "nothing"}, "pipeline"),
        ({"pipeline": "\0"}, "pipeline"),
        ({"pipeline": 7}, "pipeline"),
        ({"kind": "storm"}, "kind"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "\0"}, "title"),
        ({"title": ["x"]}, "title"),
        ({"text": "x" * 10_001}, "text"),
        ({"text": {"a": 1}}, "text"),
    ],
)
def test_an_invalid_incident_is_a_400_by_field(call, given, field):
    answer = call("post", "", {**FIELDS, **given})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()) == [field]
    assert not Incident.objects.exists()


@pytest.mark.parametrize(
    ("path", "given", "code"),
    [
        ("steps/", {"position": 9}, 400),
        ("steps/", {"position": 0}, 400),
        ("steps/", {"position": "x"}, 400),
        ("steps/", {"position": 10**30}, 400),
        ("steps/", {"position": 1, "note": "x" * 2001}, 400),
        ("steps/", {"position": 1, "note": "\0"}, 400),
        ("steps/", {}, 400),
        ("notes/", {"text": ""}, 400),
        ("notes/", {}, 400),
        ("notes/", {"text": "a\0"}, 400),
        ("reassign/", {}, 400),
        ("reassign/", {"engineer": "nobody"}, 400),
        ("reassign/", {"engineer": "\0"}, 400),
        ("resolve/", {"fixed_by_step": "x"}, 400),
        ("resolve/", {"fixed_by_step": 3}, 400),
        ("resolve/", {"text": "x" * 10_001}, 400),
        ("nothing/", {}, 404),
    ],
)
def test_an_invalid_call_is_refused_and_changes_nothing(call, path, given, code):
    number = call("post", "", FIELDS).json()["id"]
    answer = call("post", f"{number}/{path}", given)
    assert answer.status_code == code, answer.content
    row = call("get", f"{number}/").json()
    assert (row["state"], row["steps"], len(row["timeline"])) == ("open", [], 2)


@pytest.mark.parametrize("number", ["0", "999999999999999", "x", "%00", "9" * 40])
def test_an_unknown_incident_is_a_404(call, number):
    assert call("get", f"{number}/").status_code == 404
    assert call("post", f"{number}/acknowledge/").status_code == 404


def test_a_read_only_token_cannot_open_an_incident(client, pipeline, a):
    answer = client.post("/api/v1/incidents/", FIELDS, content_type=JSON, **bearer(a, scope="read"))
    assert answer.status_code == 403
    assert client.get("/api/v1/incidents/", **bearer(a, scope="read")).status_code == 200
