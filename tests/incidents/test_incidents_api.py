"""The API of incidents."""

import datetime as dt

import pytest
from django.utils import timezone

from incidents.models import Alert, EscalationStep, Incident, TimelineEntry
from incidents.services.transitions import resolve
from notifications.models import Message
from tests.each import each
from tests.factories import bearer
from tests.incidents.test_incidents import make_incident

JSON = "application/json"
SLUG = "daily-growth-experiment-focused"
FIELDS = {"pipeline": SLUG, "kind": "delay", "title": "Logs are late", "text": "Since six."}


@pytest.fixture
def call(client, pipeline, a):
    """Return a function that calls the API as Engineer A, always with the same token, or as another user."""
    own = bearer(a)

    def do(method, path, given=None, *, by=a):
        ask = getattr(client, method)
        options = own if by == a else bearer(by)
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
    for action, body in (("acknowledge", {}), ("resolve", {}), ("steps", {"position": 3}), ("run", {})):
        assert call("post", f"{path}{action}/", body).status_code == 409, action
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
    for query, actual in (
        ("", [two.pk, one.pk]),
        ("?state=open", [two.pk]),
        ("?state=unresolved", [two.pk]),
        ("?state=resolved", [one.pk]),
        (f"?pipeline={SLUG}&state=acknowledged", []),
        ("?pipeline=aggregate-profit-investor-reporting", []),
    ):
        assert [row["id"] for row in call("get", query).json()["results"]] == actual, query
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


@each(
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


def test_severity_is_set_and_filtered(call):
    assert call("post", "", FIELDS).json()["severity"] == "high"
    row = call("post", "", {**FIELDS, "severity": "low"}).json()
    assert row["severity"] == "low"
    assert [actual["id"] for actual in call("get", "?severity=low").json()["results"]] == [row["id"]]
    assert call("patch", f"{row['id']}/", {"severity": "critical"}).json()["severity"] == "critical"
    for answer in (
        call("get", "?severity=x"),
        call("post", "", {**FIELDS, "severity": "x"}),
        call("patch", f"{row['id']}/", {"severity": "x"}),
    ):
        assert (answer.status_code, list(answer.json())) == (400, ["severity"])


def test_an_incident_is_snoozed(call):
    path = f"{call('post', '', FIELDS).json()['id']}/snooze/"
    until = f"{timezone.now() + dt.timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
    row = call("post", path, {"until": until}).json()
    assert (row["snoozed_until"], row["next_escalation_at"], row["state"]) == (until, None, "open")
    assert row["timeline"][-1]["details"] == {"until": until}
    for wrong in (
        {},
        {"until": "x"},
        {"until": None},
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "9999-12-31T00:00:00Z"},
    ):
        answer = call("post", path, wrong)
        assert (answer.status_code, list(answer.json())) == (400, ["until"]), wrong


def test_answers_stay_bounded(call, client, signed_in, pipeline, a):
    """1,000 notes of 4 KB and 1,000 alerts: no page or answer grows with them."""
    incident = make_incident(pipeline, at=timezone.now())
    now, note = timezone.now(), "Long note. " * 400
    TimelineEntry.objects.bulk_create(
        TimelineEntry(incident=incident, kind="note", at=now, by=a, text=f"{number} {note}") for number in range(1000)
    )
    Alert.objects.bulk_create(
        Alert(
            fingerprint=f"f{number}", name="Late", summary="Late. " * 50, pipeline=pipeline, incident=incident,
            is_firing=True, starts_at=now, received_at=now,
        )
        for number in range(1000)
    )  # fmt: skip
    EscalationStep.objects.bulk_create(
        EscalationStep(incident=incident, round=number, engineer=a, role="admin", at=now) for number in range(2, 1002)
    )
    browser = signed_in(a)
    sizes = {
        path: len(browser.get(path).content)
        for path in (
            "/incidents/",
            f"/incidents/{incident.pk}/",
            f"/incidents/{incident.pk}/?page=3",
            f"/incidents/alerts/?incident={incident.pk}",
            "/api/v1/incidents/",
            f"/api/v1/incidents/{incident.pk}/",
            f"/api/v1/incidents/{incident.pk}/notes/?page_size=50",
            f"/api/v1/incidents/{incident.pk}/timeline/?page_size=50",
            f"/api/v1/alerts/?incident={incident.pk}",
        )
    }
    assert {path: size for path, size in sizes.items() if size > 300_000} == {}
    assert "Page 3 of 41" in browser.get(f"/incidents/{incident.pk}/?page=3").content.decode()
    row = call("get", f"{incident.pk}/").json()
    assert (len(row["timeline"]), row["timeline"][-1]["text"][:5]) == (50, "999 L")
    assert call("get", f"{incident.pk}/notes/").json()["count"] == 1000
    assert call("get", f"{incident.pk}/timeline/?page_size=1").json()["results"][0]["kind"] == "opened"


def test_a_list_does_not_hold_long_texts(call, signed_in, pipeline, a):
    at = timezone.now()
    Incident.objects.bulk_create(
        Incident(
            pipeline=pipeline,
            kind="issue",
            title=f"{number} " + "x" * 190,
            text="Long. " * 1600,
            opened_at=at,
            last_seen_at=at,
            opened_by=a,
        )
        for number in range(60)
    )
    browser = signed_in(a)
    assert len(browser.get("/api/v1/incidents/?page_size=500").content) < 100_000
    assert len(browser.get("/incidents/").content) < 300_000
