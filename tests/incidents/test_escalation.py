"""Escalation: along the current chain, each link once, admins last, never after an acknowledgement."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents import tasks
from incidents.models import Incident
from incidents.queries.incidents import escalation_chain
from incidents.services.escalation import escalate_due
from incidents.services.transitions import acknowledge, reassign, reopen, resolve, update_incident
from notifications.models import Message
from pipelines.services import update_pipeline
from scheduling.models import Rotation
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from tests.incidents.test_incidents import MINUTE, make_incident, notified_people, timeline_kinds


def sweep(at):
    return escalate_due(at=at)


def test_each_link_of_the_chain_is_notified_once_and_admins_last(pipeline, chain, now, admin):
    incident = make_incident(pipeline, at=now)
    people = chain(now)
    assert sweep(now + 14 * MINUTE) == 0
    for number in range(1, len(people) + 1):
        assert sweep(now + number * 15 * MINUTE) == 1
        assert sweep(now + number * 15 * MINUTE) == 0
    assert notified_people(incident) == [*people, admin]
    assert sweep(now + dt.timedelta(days=3)) == 0
    assert Message.objects.count() == len(people) + 1
    incident.refresh_from_db()
    assert incident.next_escalation_at is None


def test_an_admin_in_the_chain_is_not_notified_twice(pipeline, chain, now, admin):
    people = chain(now)
    type(admin).objects.filter(pk=people[0].pk).update(is_staff=True)
    incident = make_incident(pipeline, at=now)
    for number in range(1, 9):
        sweep(now + number * 15 * MINUTE)
    assert notified_people(incident) == [*people, admin]


def test_the_timeline_shows_that_escalation_is_exhausted(pipeline, chain, now):
    incident = make_incident(pipeline, at=now)
    for number in range(1, 9):
        sweep(now + number * 15 * MINUTE)
    assert timeline_kinds(incident).count("exhausted") == 1
    assert notified_people(incident) == chain(now)


def test_each_pipeline_has_its_own_escalation_time(pipeline, now):
    update_pipeline(pipeline, fields={"escalate_after_minutes": 5})
    incident = make_incident(pipeline, at=now)
    assert sweep(now + 4 * MINUTE) == 0
    assert sweep(now + 5 * MINUTE) == 1
    incident.refresh_from_db()
    assert incident.next_escalation_at == now + 10 * MINUTE


def test_each_severity_may_have_its_own_escalation_time(pipeline, now, a):
    update_pipeline(pipeline, fields={"escalate_critical_after_minutes": 5, "escalate_low_after_minutes": 60})
    waits = {}
    for severity in ("critical", "high", "low"):
        incident = make_incident(pipeline, at=now, severity=severity, title=severity)
        waits[severity] = incident.next_escalation_at - now
    assert waits == {"critical": 5 * MINUTE, "high": 15 * MINUTE, "low": 60 * MINUTE}
    assert "Acknowledge within 5 min" in Message.objects.get(subject__endswith="critical").text
    raised = update_incident(Incident.objects.get(severity="low"), by=a, at=now, severity="critical")
    assert raised.next_escalation_at == now + 5 * MINUTE
    with pytest.raises(ValidationError):
        update_pipeline(pipeline, fields={"escalate_low_after_minutes": 1441})


def test_a_late_sweep_notifies_one_engineer_and_waits_again(pipeline, now):
    incident = make_incident(pipeline, at=now)
    late = now + 300 * MINUTE
    assert sweep(late) == 1
    assert sweep(late) == 0
    assert len(notified_people(incident)) == 2


def test_nothing_escalates_after_an_acknowledgement(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    acknowledge(incident, by=a, at=now + MINUTE)
    assert sweep(now + 60 * MINUTE) == 0
    assert len(notified_people(incident)) == 1


def test_reopening_starts_from_the_beginning(pipeline, chain, now, a):
    incident = make_incident(pipeline, at=now)
    sweep(now + 15 * MINUTE)
    resolve(incident, by=a, at=now + 20 * MINUTE)
    reopen(incident, by=a, at=now + 30 * MINUTE)
    sweep(now + 45 * MINUTE)
    people = chain(now)
    assert notified_people(incident) == people[:2] * 2


def test_escalation_skips_an_engineer_whose_holiday_began_meanwhile(pipeline, chain, now):
    incident = make_incident(pipeline, at=now)
    people = chain(now)
    days = HolidayData(now.date() - dt.timedelta(days=1), now.date() + dt.timedelta(days=1))
    create_holiday(people[1], data=days, by=people[1])
    sweep(now + 15 * MINUTE)
    assert notified_people(incident) == [people[0], people[2]]


def test_escalation_follows_a_cover_that_began_meanwhile(pipeline, chain, now, outsider, admin):
    incident = make_incident(pipeline, at=now)
    span = CoverData(outsider, now + MINUTE, now + 30 * MINUTE)
    create_cover(Rotation.objects.get(), data=span, by=admin, at=now)
    sweep(now + 15 * MINUTE)
    assert notified_people(incident) == [chain(now)[0], outsider]


def test_admins_are_notified_at_once_if_nobody_is_available(pipeline, now, admin, a, b, c, d):
    days = HolidayData(now.date() - dt.timedelta(days=1), now.date() + dt.timedelta(days=1))
    for person in (a, b, c, d):
        create_holiday(person, data=days, by=person)
    incident = make_incident(pipeline, at=now)
    assert notified_people(incident) == [admin]
    assert incident.next_escalation_at is None


def test_a_reassigned_incident_escalates_until_the_new_assignee_acknowledges(pipeline, chain, now, a, b, outsider):
    incident = make_incident(pipeline, at=now)
    acknowledge(incident, by=a, at=now + MINUTE)
    row = reassign(incident, to=outsider, by=a, at=now + 2 * MINUTE)
    assert (row.state, row.assignee, row.next_escalation_at) == ("open", outsider, now + 17 * MINUTE)
    assert Message.objects.filter(type="incident-assigned", recipient=outsider).count() == 1
    assert sweep(now + 16 * MINUTE) == 0
    assert sweep(now + 17 * MINUTE) == 1
    assert notified_people(incident) == [chain(now)[0], outsider, chain(now)[1]]
    acknowledge(incident, by=outsider, at=now + 20 * MINUTE)
    assert sweep(now + 300 * MINUTE) == 0


@pytest.mark.parametrize("is_acknowledged", [True, False])
def test_escalation_starts_again_when_the_assignee_leaves(pipeline, chain, now, a, outsider, is_acknowledged):
    incident = make_incident(pipeline, at=now)
    reassign(incident, to=outsider, by=a, at=now + MINUTE)
    if is_acknowledged:
        acknowledge(incident, by=outsider, at=now + 2 * MINUTE)
    assert sweep(now + 5 * MINUTE) == 0
    type(outsider).objects.filter(pk=outsider.pk).update(is_active=False)
    assert sweep(now + 5 * MINUTE) == 1
    assert sweep(now + 5 * MINUTE) == 0
    incident.refresh_from_db()
    assert (incident.state, incident.assignee, incident.next_escalation_at) == ("open", None, now + 20 * MINUTE)
    assert notified_people(incident) == [chain(now)[0], outsider, chain(now)[0]]
    assert timeline_kinds(incident)[-2:] == ["unassigned", "notified"]


def test_a_resolved_incident_of_an_engineer_who_left_stays_resolved(pipeline, now, outsider):
    incident = make_incident(pipeline, at=now)
    acknowledge(incident, by=outsider, at=now)
    resolve(incident, by=outsider, at=now)
    type(outsider).objects.filter(pk=outsider.pk).update(is_active=False)
    assert sweep(now + MINUTE) == 0


SATURDAY_NIGHT = dt.datetime(2026, 11, 28, 2, tzinfo=dt.UTC)
MONDAY_MORNING = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)


def test_low_severity_waits_for_working_hours(pipeline, chain):
    incident = make_incident(pipeline, at=SATURDAY_NIGHT, severity="low")
    assert (notified_people(incident), incident.next_escalation_at) == ([], MONDAY_MORNING)
    assert sweep(MONDAY_MORNING - MINUTE) == 0
    assert sweep(MONDAY_MORNING) == 1
    assert notified_people(incident) == [chain(MONDAY_MORNING)[0]]
    incident.refresh_from_db()
    assert incident.next_escalation_at == MONDAY_MORNING + 15 * MINUTE


def test_low_severity_waits_for_the_working_hours_of_the_responder_s_zone(pipeline, chain, now):
    responder = chain(now)[0]
    type(responder).objects.filter(pk=responder.pk).update(time_zone="America/New_York")
    incident = make_incident(pipeline, at=now, severity="low")
    assert (notified_people(incident), incident.next_escalation_at) == ([], now + 120 * MINUTE)


@pytest.mark.parametrize("severity", ["high", "critical"])
def test_other_severities_notify_at_any_hour(pipeline, severity):
    incident = make_incident(pipeline, at=SATURDAY_NIGHT, severity=severity)
    assert len(notified_people(incident)) == 1


def test_raising_the_severity_notifies_at_once(pipeline, a):
    incident = make_incident(pipeline, at=SATURDAY_NIGHT, severity="low")
    update_incident(incident, by=a, at=SATURDAY_NIGHT + MINUTE, severity="critical")
    assert sweep(SATURDAY_NIGHT + MINUTE) == 1
    assert len(notified_people(incident)) == 1


def test_low_severity_reassigns_in_working_hours(pipeline, a, outsider):
    incident = make_incident(pipeline, at=SATURDAY_NIGHT, severity="low")
    reassign(incident, to=outsider, by=a, at=SATURDAY_NIGHT)
    assert Message.objects.get(type="incident-assigned").due_at == MONDAY_MORNING


def test_low_severity_never_wakes_admins(pipeline, a, b, c, d, admin):
    days = HolidayData(SATURDAY_NIGHT.date() - dt.timedelta(days=1), SATURDAY_NIGHT.date() + dt.timedelta(days=9))
    for person in (a, b, c, d):
        create_holiday(person, data=days, by=person)
    incident = make_incident(pipeline, at=SATURDAY_NIGHT, severity="low")
    assert (notified_people(incident), incident.next_escalation_at) == ([], MONDAY_MORNING)
    sweep(MONDAY_MORNING)
    assert notified_people(incident) == [admin]


@pytest.mark.parametrize("minutes", [0, 1441])
def test_the_escalation_time_is_between_a_minute_and_a_day(pipeline, minutes):
    with pytest.raises(ValidationError):
        update_pipeline(pipeline, fields={"escalate_after_minutes": minutes})


def test_the_worker_task_escalates(pipeline):
    now = timezone.now()
    make_incident(pipeline, at=now - 16 * MINUTE)
    tasks.escalate()
    assert Message.objects.count() == 2
    assert not Incident.objects.due(at=now).exists()


def test_a_resolved_incident_keeps_the_chain_of_its_own_time(pipeline, chain, now, a):
    incident = make_incident(pipeline, at=now)
    week = dt.timedelta(weeks=1)
    assert [link.engineer for link in escalation_chain(incident, at=now + week)] == chain(now + week)
    resolve(incident, by=a, at=now + 5 * MINUTE)
    incident.refresh_from_db()
    links = escalation_chain(incident, at=now + week)
    assert chain(now) != chain(now + week)
    assert [link.engineer for link in links] == chain(now)
    assert [link.step is not None for link in links] == [True, False, False, False]
