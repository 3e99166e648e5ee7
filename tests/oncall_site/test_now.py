"""The Now page: what needs attention first, who really responds, and how the page updates itself."""

import datetime as dt

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from incidents.services.transitions import NewIncident, open_incident
from notifications.models import Message
from oncall_site import services
from oncall_site.queries import delivery_problem
from oncall_site.views import now as now_view
from scheduling.models import HolidayBlock
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from tests.factories import bearer, make_pipeline

DAY = dt.timedelta(days=1)


@pytest.fixture
def rotation(a, b, c, d):
    """A week of A, with two pipelines owned by C and D; everyone has a phone number."""
    for number, user in enumerate((a, b, c, d)):
        user.phone = f"+44 7700 90000{number}"
        user.save()
    at = timezone.now()
    rotation = import_rotation(RotationText("Rotation", "", "Policy", "", ()), time_zone="UTC")
    set_roster(rotation, engineers=[a, b], starts_on=at.date() - dt.timedelta(days=at.weekday()), at=at - 8 * DAY)
    rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(engineer=a)
    pipelines = [make_pipeline(name, primary=c, secondary=d) for name in ("Healthy", "Broken")]
    join_rotation(rotation, pipelines=pipelines)
    return rotation


def away(user, *, at):
    return HolidayBlock.objects.create(
        engineer=user,
        kind="sick",
        starts_on=(at - DAY).date(),
        ends_on=(at + DAY).date(),
        time_zone="UTC",
        starts_at=at - DAY,
        ends_at=at + DAY,
    )


def page(client, user):
    client.force_login(user)
    return client.get("/").content.decode()


def test_an_absent_engineer_is_replaced_by_who_responds_without_their_number(client, rotation, a, b, c):
    away(a, at=timezone.now())
    text = page(client, b)
    assert c.phone in text
    assert a.phone not in text
    assert "Standing in for Engineer A, who is sick" in " ".join(text.split())


def test_a_cover_names_who_is_covered_and_until_when(client, rotation, admin, a, b):
    at = timezone.now()
    create_cover(rotation, data=CoverData(b, at, at + dt.timedelta(hours=2), ""), by=admin, at=at)
    text = " ".join(page(client, a).split())
    assert "covering for Engineer A until" in text
    assert b.phone in text
    assert a.phone not in text


def test_an_incident_shows_its_assignee_and_the_next_escalation(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    what = NewIncident(kind="delay", title="Logs are late")
    open_incident(pipeline, what=what, by=None, at=timezone.now())
    text = " ".join(page(client, a).split())
    assert "Unassigned" in text
    assert "Escalates to Engineer C in 1" in text
    assert text.index("Logs are late") < text.index('id="my-weeks"')
    assert "<title>(1) Now · On call</title>" in text


def test_pipelines_with_a_problem_come_first(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    open_incident(pipeline, what=NewIncident(kind="outage", title="Down"), by=None, at=timezone.now())
    client.force_login(a)
    context = client.get("/").context
    assert [row.pipeline.name for row in context["attention"]] == ["Broken"]
    assert [row.pipeline.name for row in context["rows"]] == ["Healthy"]


def test_the_live_part_is_a_304_until_something_changes(client, rotation, a):
    client.force_login(a)
    etag = client.get("/").context["etag"]
    answer = client.get("/now/", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == etag
    open_incident(
        rotation.pipelines.get(pipeline__name="Broken").pipeline,
        what=NewIncident(kind="outage", title="Down"),
        by=None,
        at=timezone.now(),
    )
    answer = client.get("/now/", headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert 'data-alerts="1"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


def test_a_banner_says_why_notifications_are_not_delivered(client, rotation, a):
    at = timezone.now()
    assert delivery_problem(at=at) == "No scheduler is running."
    assert "Notifications are not being delivered" in page(client, a)
    services.record_beat()
    assert delivery_problem(at=at) == "No worker is running."
    services.record_heartbeat(worker="celery@one")
    assert delivery_problem(at=at) == ""
    assert "Notifications are not being delivered" not in page(client, a)
    Message.objects.create(
        recipient=a,
        type="test",
        dedup_key="1",
        subject="S",
        text="T",
        due_at=at - dt.timedelta(minutes=5),
        expires_at=at + DAY,
    )
    assert delivery_problem(at=at) == "The oldest message is 5 min late."


@pytest.mark.parametrize(
    ("path", "section", "tab"),
    [
        ("/", "Now", None),
        ("/schedule/", "Schedule", "Timeline"),
        ("/swaps/", "Schedule", "Swaps &amp; covers"),
        ("/handoffs/", "Schedule", "Hand-offs"),
        ("/incidents/", "Incidents", "Incidents"),
        ("/incidents/reports/", "Incidents", "Analytics"),
        ("/checks/", "Pipelines", "Checks"),
    ],
)
def test_the_section_and_the_tab_are_marked(client, rotation, a, path, section, tab):
    client.force_login(a)
    answer = client.get(path)
    assert [entry.label for entry in answer.context["nav_sections"] if entry.current] == [section]
    current = [link.label.replace("&", "&amp;") for link in answer.context["nav_tabs"] if link.current]
    assert current == ([tab] if tab else [])


def test_the_theme_is_stored_in_a_cookie(client, a):
    client.force_login(a)
    answer = client.post("/theme/", {"theme": "dark", "next": "/pipelines/?q=x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/pipelines/?q=x")
    assert '<html lang="en" data-theme="dark">' in client.get("/").content.decode()
    client.post("/theme/", {"theme": "system"})
    assert '<html lang="en">' in client.get("/").content.decode()


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "javascript:x", ""])
def test_the_theme_form_does_not_redirect_to_another_site(client, a, target):
    client.force_login(a)
    assert client.post("/theme/", {"theme": "dark", "next": target}).headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/", "/api/v1/pipelines/"])
def test_a_database_that_is_restarting_is_a_503(a, monkeypatch, path):
    def fail(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    headers = bearer(a)
    monkeypatch.setattr(now_view, "on_call_snapshot", fail)
    monkeypatch.setattr("oncall_site.api.pipelines.statuses", fail)
    browser = Client(raise_request_exception=False)
    browser.force_login(a)
    answer = browser.get(path, **headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    if path.startswith("/api/"):
        assert answer.json()["detail"].startswith("The database is not available.")
    else:
        assert "The site is not available" in answer.content.decode()
