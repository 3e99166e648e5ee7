"""Hand-offs and action items through the API, as the contract has them."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from calendar_feeds.services import MAX_FEEDS_PER_USER, create_feed
from handoffs.models import ActionItem, Handoff
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import sign_handoff
from incidents.services.transitions import NewIncident, open_incident, resolve
from pipelines.models import Pipeline
from tests.each import each
from tests.factories import bearer, make_pipeline
from tests.handoffs.conftest import NOW
from validation.models import ExternalCheck

JSON = "application/json"
DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)
ACTIONS = "Pending action items."


@pytest.fixture
def call(client):
    """Return a function that calls the API as somebody."""

    def do(person, method, path, body=None):
        given = {"data": body, "content_type": JSON} if body is not None else {}
        return getattr(client, method)(f"/api/v1/{path}", **given, **bearer(person))

    return do


def path(handoff):
    return f"handoffs/{handoff.pk}/"


def test_hand_offs_are_listed_oldest_first_with_exactly_the_fields_of_the_contract(call, handoffs, a):
    answer = call(a, "get", "handoffs/").json()
    assert answer["count"] == len(handoffs) > 25
    first = answer["results"][0]
    assert list(first) == [
        "id",
        "rotation",
        "at",
        "outgoing",
        "incoming",
        "meeting_starts_at",
        "meeting_ends_at",
        "topics",
        "signed_outgoing_at",
        "signed_incoming_at",
        "closed_at",
        "closed_by",
    ]
    assert first["rotation"] == "weekly-rotation"
    assert (first["outgoing"], first["incoming"]) == ("engineer-a", "engineer-b")
    assert first["at"] == first["meeting_ends_at"] == "2026-11-30T10:00:00Z"
    assert first["meeting_starts_at"] == "2026-11-30T09:30:00Z"
    assert [topic["title"] for topic in first["topics"]] == [
        "Active issues being resolved.",
        "Known outages or delays.",
        "Status of all pipelines.",
        "Pending action items.",
    ]
    assert all(set(topic) == {"title", "items", "notes", "version"} for topic in first["topics"])
    assert call(a, "get", path(handoffs[0])).json() == first


def test_a_list_is_narrowed_to_a_rotation_and_a_window(call, handoffs, a):
    actual = call(a, "get", "handoffs/?rotation=weekly-rotation&from=2026-12-01&to=2026-12-15").json()
    assert [row["at"] for row in actual["results"]] == ["2026-12-07T10:00:00Z", "2026-12-14T10:00:00Z"]
    for query in (
        "from=x",
        "to=2026-13-01",
        "from=%00",
        "to=9999-01-01T00:00:00Z",
        "rotation=nothing",
        "from=2026-12-15&to=2026-12-01",
    ):
        assert call(a, "get", f"handoffs/?{query}").status_code == 400


def test_everyone_writes_notes_under_topics(call, handoffs, d):
    answer = call(d, "patch", path(handoffs[0]), {"topics": [{"title": ACTIONS, "notes": "Ask finance.\n- twice"}]})
    assert answer.status_code == 200
    assert answer.json()["topics"][3]["notes"] == "Ask finance.\n- twice"
    assert handoffs[0].notes.get().edited_by == d
    assert call(d, "get", path(handoffs[1])).json()["topics"][3]["notes"] == ""


@each(
    "body",
    [
        {"topics": [{"title": "The weather", "notes": "x"}]},
        {"topics": [{"title": ACTIONS}]},
        {"topics": [{"title": ACTIONS, "notes": "\0"}]},
        {"topics": [{"title": ACTIONS, "notes": "x" * 20_001}]},
        {"topics": "x"},
        {"topics": [7]},
        {"meeting_starts_at": "x"},
        {"meeting_starts_at": "9999-12-31T23:59:59-23:00"},
        {"meeting_ends_at": "0001-01-01T00:00:00Z"},
        {"meeting_starts_at": "2026-12-30T09:00:00Z"},
        [],
    ],
)
def test_what_is_wrong_is_a_400_and_changes_nothing(call, handoffs, a, body):
    before = call(a, "get", path(handoffs[0])).json()
    assert call(a, "patch", path(handoffs[0]), body).status_code == 400
    assert call(a, "get", path(handoffs[0])).json() == before


def test_the_two_and_admins_move_the_meeting_and_nobody_else(call, handoffs, b, c, admin, time_machine):
    time_machine(NOW)
    first = handoffs[0]
    assert call(c, "patch", path(first), {"meeting_starts_at": "2026-11-30T08:00:00Z"}).status_code == 403
    answer = call(b, "patch", path(first), {"meeting_starts_at": "2026-11-30T08:00:00Z"}).json()
    assert (answer["meeting_starts_at"], answer["meeting_ends_at"]) == ("2026-11-30T08:00:00Z", "2026-11-30T08:30:00Z")
    assert answer["at"] == "2026-11-30T10:00:00Z"
    moved = {"meeting_starts_at": "2026-11-30T11:00:00Z", "meeting_ends_at": "2026-11-30T11:20:00Z"}
    assert call(admin, "patch", path(first), moved).status_code == 200
    too_long = {**moved, "meeting_ends_at": "2026-11-30T12:30:00Z"}
    assert call(b, "patch", path(first), too_long).json() == {
        "meeting_ends_at": ["The meeting must last 20–30 minutes (handbook)."]
    }


def test_both_sign_once_and_the_sheet_is_then_frozen(call, handoffs, a, b, c, admin, time_machine):
    first = handoffs[0]
    time_machine(first.at)
    for other in (c, admin):
        assert call(other, "post", path(first) + "sign/").status_code == 403
    answer = call(a, "post", path(first) + "sign/")
    assert answer.status_code == 200
    assert answer.json()["signed_outgoing_at"].endswith("Z")
    assert answer.json()["signed_incoming_at"] is None
    assert call(a, "post", path(first) + "sign/").status_code == 409
    assert call(b, "patch", path(first), {"topics": [{"title": ACTIONS, "notes": "Last word."}]}).status_code == 200
    frozen = call(b, "post", path(first) + "sign/").json()
    assert frozen["signed_incoming_at"]
    assert call(b, "post", path(first) + "sign/").status_code == 409
    refused = call(a, "patch", path(first), {"topics": [{"title": ACTIONS, "notes": "Later."}]})
    assert (refused.status_code, list(refused.json())) == (409, ["detail"])
    assert call(a, "post", "action-items/", {"text": "Came later"}).status_code == 201
    assert call(c, "get", path(first)).json() == frozen
    assert "Came later" in str(call(c, "get", path(handoffs[1])).json()["topics"][3]["items"])


def test_a_read_only_token_signs_nothing(client, handoffs, a):
    answer = client.post(f"/api/v1/{path(handoffs[0])}sign/", **bearer(a, scope="read"))
    assert answer.status_code == 403
    assert Handoff.objects.get(pk=handoffs[0].pk).signed_outgoing_at is None


def test_a_hand_off_that_is_no_more_is_not_in_the_api(call, handoffs, rotation, a):
    removed = handoffs[0]
    rotation.weeks.filter(starts_on=removed.week).update(engineer=removed.outgoing)
    sync_handoffs(at=NOW)
    assert call(a, "get", path(removed)).status_code == 404
    assert call(a, "post", path(removed) + "sign/").status_code == 404
    assert call(a, "get", "handoffs/").json()["results"][0]["id"] != removed.pk


def test_action_items_are_carried_over_until_they_are_done(call, handoffs, rotation, a, b):
    created = call(a, "post", "action-items/", {"rotation": rotation.slug, "text": " Rerun   the backfill "})
    assert created.status_code == 201
    item = created.json()
    assert item == {
        "id": item["id"],
        "rotation": "weekly-rotation",
        "text": "Rerun the backfill",
        "pipeline": None,
        "created_by": "engineer-a",
        "created_at": item["created_at"],
        "done": False,
        "done_by": None,
        "done_at": None,
    }

    def shown():
        rows = call(b, "get", "handoffs/").json()["results"]
        return ["Rerun the backfill" in str(row["topics"][3]["items"]) for row in rows]

    assert all(shown())
    done = call(b, "patch", f"action-items/{item['id']}/", {"done": True}).json()
    assert (done["done"], done["done_by"]) == (True, "engineer-b")
    assert not any(shown())
    assert call(a, "patch", f"action-items/{item['id']}/", {"done": True}).json()["done_by"] == "engineer-b"
    assert [row["id"] for row in call(a, "get", "action-items/?done=true").json()["results"]] == [item["id"]]
    assert call(a, "get", "action-items/?done=false").json()["count"] == 0
    assert call(a, "get", "action-items/?done=maybe").status_code == 400
    assert call(a, "patch", f"action-items/{item['id']}/", {"done": False}).json()["done_at"] is None
    assert all(shown())


def test_an_action_item_may_be_about_a_pipeline(call, rotation, a):
    pipeline = make_pipeline(
        "Churn", primary=a, secondary=ActionItem.created_by.get_queryset().exclude(pk=a.pk).first()
    )
    item = call(a, "post", "action-items/", {"text": "Look", "pipeline": pipeline.slug}).json()
    assert item["pipeline"] == "churn"
    changed = call(a, "patch", f"action-items/{item['id']}/", {"pipeline": None, "text": "Look twice"}).json()
    assert (changed["pipeline"], changed["text"]) == (None, "Look twice")


@each(
    "body",
    [
        {},
        {"text": ""},
        {"text": " \n"},
        {"text": "\0"},
        {"text": "x" * 501},
        {"text": ["x"]},
        {"text": "x", "rotation": "nothing"},
        {"text": "x", "rotation": "a\0b"},
        {"text": "x", "pipeline": 7},
        {"text": "x", "done": "perhaps"},
        [],
    ],
)
def test_a_wrong_action_item_is_a_400(call, rotation, a, body):
    assert call(a, "post", "action-items/", body).status_code == 400
    assert not ActionItem.objects.exists()


def test_nobody_knows_of_other_numbers(call, handoffs, a):
    for number in ("0", "999999", "9" * 15):
        assert call(a, "get", f"handoffs/{number}/").status_code == 404
        assert call(a, "patch", f"action-items/{number}/", {"done": True}).status_code == 404
    assert call(a, "get", "handoffs/" + "9" * 40 + "/").status_code == 404


def test_statuses_name_the_responder_of_each_pipeline(call, handoffs, a):
    items = call(a, "get", path(handoffs[0])).json()["topics"][2]["items"]
    assert len(items) == 5
    assert all(set(item) == {"text", "path", "state", "link", "badge"} for item in items)
    assert items[0]["link"] == "Unit-level profit (experiment-focused)"
    assert items[0]["badge"] == "unknown"
    assert re.match(r"Unit-level profit \(experiment-focused\) — unknown — responder Engineer .", items[0]["text"])
    assert items[0]["path"] == "/pipelines/unit-level-profit-experiment-focused/"


def test_a_pipeline_whose_data_was_not_updated_is_stale_on_the_sheet(call, handoffs, a):
    at = timezone.now()
    ExternalCheck.objects.create(
        tool="dbt", key="model.shop.x", name="x", pipeline=Pipeline.objects.order_by("position").first(), status="skip",
        is_stale=True, at=at, created_at=at,
    )  # fmt: skip
    items = call(a, "get", path(handoffs[0])).json()["topics"][2]["items"]
    assert [" — stale — " in item["text"] for item in items] == [True, False, False, False, False]


def test_open_incidents_stand_under_issues_and_outages_and_in_the_status(call, handoffs, a, b):
    pipeline = Pipeline.objects.order_by("position").first()
    titles = {"issue": "Tags are missing", "outage": "No rows since noon", "delay": "Two hours late"}
    opened = {
        kind: open_incident(pipeline, what=NewIncident(kind=kind, title=title), by=b, at=NOW)
        for kind, title in titles.items()
    }
    topics = call(a, "get", path(handoffs[0])).json()["topics"]
    shown = [[item["text"].split(": ")[1].split(", ")[0] for item in topic["items"]] for topic in topics[:2]]
    assert [sorted(titles) for titles in shown] == [["Tags are missing"], ["No rows since noon", "Two hours late"]]
    assert topics[0]["items"][0]["path"] == f"/incidents/{opened['issue'].pk}/"
    assert topics[0]["items"][0]["state"] == "danger"
    assert (topics[2]["items"][0]["state"], " — outage — " in topics[2]["items"][0]["text"]) == ("danger", True)
    for person in (a, b):
        sign_handoff(handoffs[0], by=person, at=handoffs[0].at)
    topics = call(a, "get", path(handoffs[0])).json()["topics"]
    for incident in opened.values():
        resolve(incident, by=a, at=NOW)
    assert call(a, "get", path(handoffs[1])).json()["topics"][0]["items"] == []
    assert call(a, "get", path(handoffs[0])).json()["topics"] == topics


def test_a_signature_needs_the_row_as_it_is_now(handoffs, a, b):
    """A copy of the row read before somebody else signed does not undo that signature."""
    stale = Handoff.objects.with_people().get(pk=handoffs[0].pk)
    sign_handoff(handoffs[0], by=a, at=handoffs[0].at)
    signed = sign_handoff(stale, by=b, at=stale.at)
    assert signed.is_signed
    assert signed.frozen


# Feed addresses


def test_a_feed_is_made_read_listed_and_revoked_and_its_address_is_answered_once(call, client, rotation, handoffs, a):
    answer = call(a, "post", "feeds/", {})
    created = answer.json()
    assert (answer.status_code, list(created)) == (
        201,
        ["id", "rotation", "prefix", "created_at", "last_used_at", "url"],
    )
    assert created["rotation"] is None
    assert created["created_at"].endswith("Z")
    path = urlsplit(created["url"]).path
    assert client.get(path).status_code == 200
    whole = call(a, "post", "feeds/", {"rotation": rotation.slug}).json()
    assert b"X-WR-CALNAME:On call: Weekly Rotation" in client.get(urlsplit(whole["url"]).path).content
    listed = call(a, "get", "feeds/").json()
    assert [(one["id"], one["rotation"]) for one in listed["results"]] == [
        (whole["id"], rotation.slug),
        (created["id"], None),
    ]
    assert listed["results"][1]["last_used_at"].endswith("Z")
    assert all("url" not in one for one in listed["results"])
    assert created["url"].partition("feed_")[2] not in str(listed)
    assert "url" not in call(a, "get", f"feeds/{created['id']}/").json()
    assert call(a, "delete", f"feeds/{created['id']}/").status_code == 204
    assert client.get(path).status_code == 404
    assert [one["id"] for one in call(a, "get", "feeds/").json()["results"]] == [whole["id"]]
    assert call(a, "delete", f"feeds/{created['id']}/").status_code == 404


def test_somebody_else_s_feeds_are_not_there_even_for_an_admin(call, rotation, a, b, admin):
    created = call(a, "post", "feeds/", {"rotation": rotation.slug}).json()
    for other in (b, admin):
        assert call(other, "get", "feeds/").json()["count"] == 0
        assert call(other, "get", f"feeds/{created['id']}/").status_code == 404
        assert call(other, "delete", f"feeds/{created['id']}/").status_code == 404
    assert call(a, "get", "feeds/").json()["count"] == 1


def test_a_feed_of_nothing_names_the_field_and_one_too_many_is_a_conflict(call, rotation, a):
    answer = call(a, "post", "feeds/", {"rotation": "nothing"})
    assert (answer.status_code, list(answer.json())) == (400, ["rotation"])
    assert call(a, "post", "feeds/", ["rotation"]).status_code == 400
    for _ in range(MAX_FEEDS_PER_USER):
        create_feed(a, rotation=None, at=NOW)
    refused = call(a, "post", "feeds/", {})
    assert (refused.status_code, "20 calendar feeds" in refused.json()["detail"]) == (409, True)
