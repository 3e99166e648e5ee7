"""Drills: through rules, chain and escalation, with a stopwatch, and without a trace in statuses and reports."""

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.exceptions import DomainError
from incidents.models import Drill, Incident, MaintenanceWindow
from incidents.queries.incidents import open_counts, open_incidents
from incidents.queries.reports import pipeline_reports
from incidents.queries.statuses import statuses
from incidents.queries.stopwatch import stopwatch
from incidents.services import drills
from incidents.services.drills import end_old_drills, start_drill, start_weekly_drills
from incidents.services.escalation import escalate_due
from incidents.services.transitions import (
    NewIncident,
    acknowledge,
    open_incident,
    reassign,
    reopen,
    resolve,
    update_incident,
)
from notifications.models import Message
from notifications.services.delivery import deliver_one
from oncall_site.queries import pipelines_needing_attention
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import PipelineRotation, Rotation
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rotations import archive_rotation, create_rotation, move_pipeline, update_rotation
from tests.factories import bearer, make_pipeline
from tests.incidents.test_incidents import MINUTE, notified_people

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def drill(pipeline, chain, now, b):
    return start_drill(pipeline, by=b, at=now)


def test_a_drill_notifies_and_escalates_as_an_incident_does(drill, pipeline, chain, now):
    [message] = Message.objects.all()
    assert "Drill: nothing is wrong" in message.subject
    assert (message.type, message.urgent) == ("incident-escalated", True)
    assert escalate_due(at=now + 15 * MINUTE) == 1
    assert notified_people(drill) == chain(now)[:2]
    acknowledge(drill, by=chain(now)[1], at=now + 16 * MINUTE)
    assert escalate_due(at=now + 60 * MINUTE) == 0


def test_a_drill_touches_no_status_and_no_report(drill, pipeline, now):
    assert statuses([pipeline])[pipeline.pk].open_incidents == 0
    assert statuses([pipeline])[pipeline.pk].name == "unknown"
    assert list(open_incidents()) == []
    assert open_counts([pipeline]) == {}
    assert pipelines_needing_attention() == set()
    assert pipeline_reports([now.date().replace(day=1)]) == []


def test_the_stopwatch_has_every_step(drill, pipeline, chain, now):
    person = chain(now)[0]
    type(person).objects.filter(pk=person.pk).update(email="a@example.org")
    Message.objects.update(due_at=timezone.now(), expires_at=timezone.now() + HOUR)
    deliver_one()
    Message.objects.update(sent_at=now + MINUTE)
    acknowledge(drill, by=person, at=now + 2 * MINUTE)
    resolved = resolve(drill, by=person, at=now + 3 * MINUTE)
    assert [(step.what, step.after) for step in stopwatch(resolved)] == [
        (f"{person} notified", dt.timedelta()),
        (f"E-mail to {person}", MINUTE),
        (f"Acknowledged by {person}", 2 * MINUTE),
        (f"Resolved by {person}", 3 * MINUTE),
    ]


def test_one_drill_runs_at_a_time_and_ends_after_four_hours(drill, pipeline, now, b):
    with pytest.raises(DomainError, match="already in progress"):
        start_drill(pipeline, by=b, at=now)
    assert end_old_drills(at=now + 4 * HOUR - MINUTE) == 0
    assert end_old_drills(at=now + 4 * HOUR) == 1
    assert Incident.objects.get().state == "resolved"
    start_drill(pipeline, by=b, at=now)


def test_a_drill_is_not_reopened_while_another_runs(drill, pipeline, now, b):
    resolve(drill, by=b, at=now + MINUTE)
    other = start_drill(pipeline, by=b, at=now + 2 * MINUTE)
    with pytest.raises(DomainError, match="already in progress"):
        reopen(drill, by=b, at=now + 3 * MINUTE)
    resolve(other, by=b, at=now + 4 * MINUTE)
    assert not reopen(drill, by=b, at=now + 5 * MINUTE).is_resolved


def test_a_drill_is_started_on_the_page_and_by_the_api(signed_in, client, pipeline, a):
    browser, path = signed_in(a), f"/pipelines/{pipeline.slug}/drill/"
    page = browser.post(path, follow=True).content.decode()
    assert "Drill started." in page
    assert "Time after opening" in page
    assert "A drill is already in progress for this pipeline." in browser.post(path, follow=True).content.decode()
    body = {"pipeline": pipeline.slug}
    answer = client.post("/api/v1/incidents/drills/", body, content_type="application/json", **bearer(a))
    assert answer.status_code == 409
    Incident.objects.all().delete()
    row = client.post("/api/v1/incidents/drills/", body, content_type="application/json", **bearer(a)).json()
    assert (row["source"], row["state"]) == ("drill", "open")
    [step] = [
        step
        for step in client.get(f"/api/v1/incidents/{row['id']}/stopwatch/", **bearer(a)).json()
        if step["what"].endswith("notified")
    ]
    assert step["after_seconds"] == 0


@pytest.fixture
def rotation(pipeline, now):
    """The handbook's rotation with a weekly drill on Wednesdays at noon, which is due now."""
    Rotation.objects.update(weekly_drill=True, drill_weekday=2, drill_time=dt.time(12), drill_changed_at=now - 2 * DAY)
    return Rotation.objects.get()


def only_drill():
    return Drill.objects.select_related("incident").get()


def test_the_weekly_drill_starts_once_for_the_on_call_engineer(rotation, chain, now):
    assert start_weekly_drills(at=now - MINUTE) == 0
    assert start_weekly_drills(at=now) == 1
    assert start_weekly_drills(at=now + MINUTE) == 0
    drill = only_drill()
    assert (drill.rotation, drill.week, drill.engineer) == (rotation, dt.date(2026, 11, 23), chain(now)[0])
    assert (drill.incident.source, drill.incident.opened_by) == ("drill", None)
    assert notified_people(drill.incident) == chain(now)[:1]
    assert [message.recipient for message in Message.objects.all()] == chain(now)[:1]
    assert start_weekly_drills(at=now + 7 * DAY) == 1


def test_an_error_in_one_rotation_does_not_stop_the_drills_of_others(rotation, now, admin, a, b, monkeypatch):
    other = make_pipeline("Finance", primary=a, secondary=b)
    second = create_rotation(name="Finance", engineers=[a, b], by=admin, at=now - 14 * DAY)
    move_pipeline(other, rotation=second)
    update = {"weekly_drill": True, "drill_weekday": 2, "drill_time": dt.time(12), "drill_changed_at": now - 2 * DAY}
    Rotation.objects.update(**update)
    real = drills._choose_target

    def broken(row, **options):
        if row == rotation:
            raise LookupError(row.name)
        return real(row, **options)

    monkeypatch.setattr(drills, "_choose_target", broken)
    # The sweep still counts as failed.
    with pytest.raises(LookupError):
        start_weekly_drills(at=now)
    assert only_drill().rotation == second
    monkeypatch.undo()
    assert start_weekly_drills(at=now + MINUTE) == 1


def test_a_weekly_drill_escalates_and_every_message_is_marked(rotation, now, a, b):
    start_weekly_drills(at=now)
    incident = only_drill().incident
    update_incident(incident, by=a, at=now, title="Something else")
    assert escalate_due(at=now + 15 * MINUTE) == 1
    reassign(incident, to=b, by=a, at=now + 16 * MINUTE)
    subjects = set(Message.objects.values_list("subject", flat=True))
    assert all("Drill: " in subject for subject in subjects)
    assert len(subjects) > 1


def test_the_pipelines_of_a_rotation_take_turns(rotation, now):
    pipelines = set()
    for number in range(5):
        at = now + 7 * number * DAY
        start_weekly_drills(at=at)
        pipelines.add(Drill.objects.order_by("-at")[0].incident.pipeline_id)
        end_old_drills(at=at + 4 * HOUR)
    assert len(pipelines) == rotation.pipelines.count() == 5


def skip_reason(*, at):
    start_weekly_drills(at=at)
    drill = only_drill()
    assert drill.incident is None
    assert drill.state == "skipped"
    return drill.skip_reason


def test_it_is_skipped_while_its_engineer_has_an_open_incident(rotation, pipeline, chain, now):
    what = NewIncident(kind="issue", title="Orders are late")
    open_incident(pipeline, what=what, by=None, at=now - 5 * MINUTE)
    assert skip_reason(at=now) == f"{chain(now)[0]} has an open incident: Orders are late"


def test_it_is_skipped_within_a_day_of_another_drill(rotation, pipeline, now, b):
    drill = start_drill(pipeline, by=b, at=now - 23 * HOUR)
    resolve(drill, by=b, at=now - 22 * HOUR)
    Drill.objects.all().delete()
    assert skip_reason(at=now) == "There was a drill in the last 24 hours."


def test_it_is_skipped_in_maintenance_without_pipelines_and_if_nobody_is_available(rotation, now, a):
    for row in Pipeline.objects.all():
        fields = {"starts_at": now - HOUR, "ends_at": now + HOUR, "reason": "Move"}
        MaintenanceWindow.objects.create(pipeline=row, created_by=a, **fields)
    assert skip_reason(at=now) == "All pipelines of the rotation are in maintenance."
    MaintenanceWindow.objects.all().delete()
    Drill.objects.all().delete()
    User.objects.filter(is_staff=False).update(is_active=False)
    assert skip_reason(at=now) == "Nobody is available."
    Drill.objects.all().delete()
    PipelineRotation.objects.all().delete()
    assert skip_reason(at=now) == "The rotation has no pipelines."


def test_after_an_outage_it_is_skipped_and_not_started_hours_late(rotation, now):
    assert skip_reason(at=now + HOUR + MINUTE) == "The site could not start it within an hour."


def test_a_drill_that_was_due_before_its_time_was_set_does_not_start(rotation, admin, now):
    update_rotation(rotation, drill_time=dt.time(11), by=admin, at=now)
    assert start_weekly_drills(at=now + MINUTE) == 0
    assert start_weekly_drills(at=now + 7 * DAY - HOUR) == 1


def test_another_day_of_the_same_week_gives_no_second_drill(rotation, admin, now):
    start_weekly_drills(at=now)
    update_rotation(rotation, drill_weekday=4, by=admin, at=now + HOUR)
    assert start_weekly_drills(at=now + 2 * DAY) == 0
    assert start_weekly_drills(at=now + 9 * DAY) == 1


def test_a_rotation_has_no_drill_by_default_or_once_archived(rotation, admin, now):
    Rotation.objects.update(weekly_drill=False)
    assert start_weekly_drills(at=now) == 0
    Rotation.objects.update(weekly_drill=True)
    archive_rotation(rotation, by=admin, at=now)
    assert start_weekly_drills(at=now) == 0


def test_an_engineer_who_is_away_gets_no_drill(rotation, chain, now):
    person = chain(now)[0]
    create_holiday(person, data=HolidayData(now.date(), now.date(), kind="holiday", note=""), by=person)
    start_weekly_drills(at=now)
    drill = only_drill()
    assert notified_people(drill.incident) == [drill.engineer]
    assert drill.engineer != person


def test_the_database_allows_one_weekly_drill_per_week(rotation, now):
    start_weekly_drills(at=now)
    with pytest.raises(IntegrityError), transaction.atomic():
        Drill.objects.create(rotation=rotation, week=only_drill().week, at=now, skip_reason="again")


def test_the_results_are_listed_on_the_page_by_the_api_and_in_the_admin(rotation, signed_in, client, a, admin, now):
    start_weekly_drills(at=now)
    incident = only_drill().incident
    acknowledge(incident, by=a, at=now + 2 * MINUTE)
    Drill.objects.create(
        rotation=rotation, week=dt.date(2026, 11, 16), at=now - 7 * DAY, skip_reason="Nobody is available."
    )
    page = signed_in(a).get("/incidents/drills/").content.decode()
    assert "every Wednesday at 12:00" in " ".join(page.split())
    assert "Nobody is available." in page
    assert "2\N{NO-BREAK SPACE}min" in page
    answer = client.get("/api/v1/incidents/drills/", **bearer(a)).json()
    [ran, other] = answer["results"]
    assert {name: ran[name] for name in ("rotation", "state", "incident", "acknowledged_by", "after_seconds")} == {
        "rotation": rotation.slug,
        "state": "acknowledged",
        "incident": incident.pk,
        "acknowledged_by": "engineer-a",
        "after_seconds": 120.0,
    }
    assert (other["state"], other["skip_reason"], other["incident"], other["pipeline"]) == (
        "skipped",
        "Nobody is available.",
        None,
        None,
    )
    path = "/api/v1/incidents/drills/?rotation="
    assert client.get(path + rotation.slug, **bearer(a)).json()["count"] == 2
    assert client.get(path + "nothing", **bearer(a)).status_code == 400
    listed = signed_in(admin).get("/admin/incidents/drill/").content.decode()
    assert "Acknowledged" in listed
    assert "Wednesdays at 12:00" in signed_in(admin).get("/admin/system/").content.decode()


def test_now_shows_a_drill_in_progress_and_one_that_nobody_acknowledged(rotation, signed_in, a, b):
    start = timezone.now()
    incident = start_drill(rotation.pipelines.first().pipeline, by=b, at=start - 4 * HOUR)
    browser = signed_in(a)
    assert "notified first" in browser.get("/").content.decode()
    end_old_drills(at=start)
    assert "nobody acknowledged the drill" in browser.get("/").content.decode()
    Incident.objects.filter(pk=incident.pk).update(resolved_by=b)
    assert "All drills" not in browser.get("/").content.decode()


def test_an_admin_sets_it_in_the_browser_the_api_and_the_admin(rotation, signed_in, client, admin, a):
    Rotation.objects.update(weekly_drill=False)
    path = f"/schedule/{rotation.slug}/edit/"
    form = {"name": rotation.name, "time_zone": "UTC", "handoff_weekday": "0", "handoff_time": "10:00"}
    typed = {**form, "weekly_drill": "on", "drill_weekday": "3", "drill_time": "09:30"}
    assert signed_in(admin).post(path, typed).status_code == 302
    rotation.refresh_from_db()
    assert (rotation.weekly_drill, rotation.drill_weekday, rotation.drill_time) == (True, 3, dt.time(9, 30))
    url = f"/api/v1/rotations/{rotation.slug}/"
    body = {"weekly_drill": False, "drill_weekday": 4, "drill_time": "14:00"}
    answer = client.patch(url, body, content_type="application/json", **bearer(admin)).json()
    assert {name: answer[name] for name in body} == body
    assert client.patch(url, body, content_type="application/json", **bearer(a)).status_code == 403
    assert client.patch(url, {"drill_weekday": 7}, content_type="application/json", **bearer(admin)).status_code == 400
    row = Rotation.objects.get()
    typed = {**form, "slug": rotation.slug, "drill_weekday": "1", "drill_time": "10:00", "weekly_drill": "on"}
    typed |= {"policy_name": rotation.policy_name, "policy_rules": "one"}
    assert signed_in(admin).post(f"/admin/scheduling/rotation/{rotation.pk}/change/", typed).status_code == 302
    blank = {**typed, "drill_weekday": "", "drill_time": ""}
    assert signed_in(admin).post(f"/admin/scheduling/rotation/{rotation.pk}/change/", blank).status_code == 302
    saved = Rotation.objects.get()
    assert (saved.weekly_drill, saved.drill_weekday) == (True, 1)
    assert saved.drill_changed_at > row.drill_changed_at


def test_the_page_and_the_list_run_the_same_queries_for_1_row_and_for_30(rotation, signed_in, a, now):
    def add(count):
        for number in range(count):
            day = now - 7 * (number + 1) * DAY
            row = Incident.objects.create(
                pipeline=rotation.pipelines.first().pipeline,
                title="x",
                opened_at=day,
                last_seen_at=day,
                source="drill",
                state="resolved",
                resolved_at=day,
                acknowledged_by=a,
                acknowledged_at=day,
            )
            Drill.objects.create(rotation=rotation, week=day.date(), at=day, incident=row, engineer=a)

    def counts():
        numbers = []
        for path in ("/incidents/drills/", "/api/v1/incidents/drills/"):
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(path).status_code == 200
            numbers.append(len(captured))
        return numbers

    browser = signed_in(a)
    add(1)
    counts()
    few = counts()
    Incident.objects.all().delete()
    add(30)
    assert counts() == few
