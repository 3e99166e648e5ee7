"""The installed site: its manifest, its service worker, and the copy that a device keeps. The browser's part: tests/e2e."""

import datetime as dt
import re

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils import timezone

from handoffs.models import Handoff, HandoffNote
from incidents.models import RunStep
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, open_incident
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation
from tests.factories import bearer, current_monday, make_pipeline, make_runbook

STATIC = settings.BASE_DIR / "oncall_site" / "static" / "oncall_site"
RUNBOOK = "# Visits\n\n## Troubleshooting Steps\n\n1. Look at the logs.\n2. Start the job again.\n"
MAX_WORKER_BYTES = 4_000


@pytest.fixture
def incident(a, b):
    pipeline = make_pipeline("Visits", primary=a, secondary=b)
    make_runbook(pipeline, RUNBOOK)
    row = open_incident(pipeline, what=NewIncident(kind="delay", title="Logs are late"), by=None, at=timezone.now())
    start_run(row, by=a, at=timezone.now())
    return row


def test_the_manifest_names_icons_that_are_there(client, db):
    answer = client.get("/manifest.webmanifest")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/manifest+json")
    icons = answer.json()["icons"]
    assert {(icon["sizes"], icon["purpose"]) for icon in icons} == {
        (size, purpose) for size in ("192x192", "512x512") for purpose in ("any", "maskable")
    }
    for icon in icons:
        assert finders.find(icon["src"].removeprefix("/static/")) is not None


def test_the_service_worker_is_served_at_the_root_and_is_small(client, db):
    answer = client.get("/service-worker.js")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/javascript")
    assert answer.content == (STATIC / "service-worker.js").read_bytes()
    assert len(answer.content) <= MAX_WORKER_BYTES
    assert "worker-src 'self'" in answer.headers["Content-Security-Policy"]


def test_the_icon_of_notifications_is_there():
    [path] = re.findall(r'const ICON = "/static/(.+)";', (STATIC / "service-worker.js").read_text())
    assert finders.find(path) is not None


def test_the_copy_has_incidents_chains_runbooks_and_the_time(client, a, incident, signed_in):
    a.phone = "+44 20 7946 0999"
    a.save()
    answer = signed_in(a).get("/me/offline/")
    page = answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert re.search(r"Saved <time[^>]*>.*UTC</time>", page)
    for text in ("Logs are late", "Look at the logs.", "+44 20 7946 0999", "primary owner", "No hand-off today."):
        assert text in page
    assert f'action="/incidents/{incident.pk}/steps/1/" data-steps' in page


def test_the_copy_of_somebody_without_pipelines_is_empty(client, c, incident, signed_in):
    page = signed_in(c).get("/me/offline/").content.decode()
    assert "Logs are late" not in page
    assert "You don’t own a pipeline and are not in a rotation." in page


def test_an_incident_that_is_assigned_to_somebody_else_is_in_their_copy(client, c, incident, signed_in):
    incident.assignee = c
    incident.save()
    assert "Logs are late" in signed_in(c).get("/me/offline/").content.decode()


def test_the_copy_has_todays_sheet_only(a, b, signed_in):
    now = timezone.now()
    rotation = import_rotation(RotationText("Weekly", "", "Policy", "", ()), time_zone="UTC")
    monday = current_monday(now)
    set_roster(rotation, engineers=[a, b], starts_on=monday, at=now)
    noon = now.replace(hour=12, minute=0, second=0, microsecond=0)
    for days, note in ((0, "Ask for the invoice."), (7, "Something of next week.")):
        at = noon + dt.timedelta(days=days)
        row = Handoff.objects.create(
            rotation=rotation,
            week=at.date(),
            at=at,
            outgoing=a,
            incoming=b,
            meeting_starts_at=at - dt.timedelta(minutes=30),
            meeting_ends_at=at,
            stamped_at=now,
        )
        HandoffNote.objects.create(handoff=row, title="Known outages", text=note, edited_by=a, edited_at=now)
    page = signed_in(a).get("/me/offline/").content.decode()
    assert "Ask for the invoice." in page
    assert "Something of next week." not in page


def test_a_step_is_marked_from_the_copy_without_javascript(a, incident, signed_in):
    fields = {"note-1": "The disk is full.", "shown-1": "", "done": "1"}
    assert signed_in(a).post(f"/incidents/{incident.pk}/steps/1/", fields).status_code == 302
    step = RunStep.objects.get(position=1)
    assert (step.note, step.done_by) == ("The disk is full.", a)


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"note": "mine"}, "mine"),
        ({"note": "mine", "note_shown": "theirs"}, "mine"),
        ({"note": "mine", "note_shown": ""}, "theirs / mine"),
        ({"note": "", "note_shown": "older"}, "theirs"),
    ],
)
def test_a_note_that_somebody_changed_meanwhile_keeps_both_texts(client, a, b, incident, fields, note):
    mark_step(incident, position=1, by=b, at=timezone.now(), note="theirs")
    path = f"/api/v1/incidents/{incident.pk}/steps/"
    answer = client.post(path, {"position": 1, **fields}, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()["note"], answer.json()["done_at"]) == (200, note, None)


def test_a_change_that_is_sent_twice_is_made_once(client, a, incident):
    path, headers = f"/api/v1/incidents/{incident.pk}/steps/", {**bearer(a), "HTTP_IDEMPOTENCY_KEY": "one"}
    data = {"position": 1, "note": "once", "note_shown": "", "done": True}
    answers = [client.post(path, data, content_type="application/json", **headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert incident.timeline.filter(kind="step").count() == 1
