"""Storms: checks of one pipeline that fail within five minutes share one incident with the list inside."""

import datetime as dt
import threading
from dataclasses import replace

import pytest
from django.db import connection

from incidents.models import Failure, Incident
from incidents.services.escalation import escalate_due
from incidents.services.transitions import acknowledge, reopen, resolve, update_incident
from incidents.services.triggers import (
    IncidentTrigger,
    mark_recovered,
    sync_with_checks,
    sync_with_external_checks,
    trigger_incident,
)
from notifications.models import Message
from pipelines.models import Pipeline
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, timeline_kinds
from tests.validation.fixtures import make_check, make_metric
from validation.models import Check, ExternalCheck
from validation.services.checks import delete_check

COOLDOWN = 30 * MINUTE


def failure(number, now, minutes=0, **fields):
    at = now + minutes * MINUTE
    values = {"kind": "issue", "title": f"Check {number} failed", "text": f"Value {number}.", "cooldown": COOLDOWN}
    return IncidentTrigger(**values | {"since": at, "seen_at": at, "check_id": number, **fields})


def trigger(pipeline, number, now, minutes=0, **fields):
    at = now + minutes * MINUTE
    return trigger_incident(pipeline, trigger=failure(number, now, minutes, **fields), at=at)


def open_failures():
    return list(Failure.objects.filter(is_open=True).order_by("pk").values_list("check_id", flat=True))


def test_checks_that_fail_within_five_minutes_share_an_incident_and_a_message(pipeline, now):
    incidents = [trigger(pipeline, number, now, minutes) for number, minutes in ((1, 0), (2, 0), (3, 4))]
    [row] = Incident.objects.all()
    assert incidents == [row] * 3
    assert (row.title, row.check_id, row.repeats) == ("Check 1 failed and 2 more", 1, 0)
    assert list(row.failures.values_list("title", "text")) == [(f"Check {n} failed", f"Value {n}.") for n in (1, 2, 3)]
    assert timeline_kinds(row) == ["opened", "notified", "failure_added"]
    assert row.timeline.last().data["times"] == 2
    assert Message.objects.count() == 1


def test_a_failure_after_five_minutes_or_of_another_pipeline_has_its_own_incident(pipeline, now):
    other = Pipeline.objects.exclude(pk=pipeline.pk).first()
    incidents = [trigger(pipeline, 1, now), trigger(pipeline, 2, now, minutes=5), trigger(other, 3, now)]
    assert list(Incident.objects.order_by("pk")) == incidents


def test_the_next_message_lists_all_failures(pipeline, now):
    for number in (1, 2):
        trigger(pipeline, number, now)
    escalate_due(at=now + 15 * MINUTE)
    first, second = Message.objects.order_by("pk")
    assert "Check 2" not in first.text
    assert "- Check 1 failed: Value 1.\n- Check 2 failed: Value 2." in second.text


def test_a_repeat_adds_to_its_failure(pipeline, now):
    row = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    assert trigger(pipeline, 2, now, minutes=20, text="Value 20.") == row
    assert list(row.failures.values_list("repeats", "text")) == [(0, "Value 1."), (1, "Value 20.")]
    row.refresh_from_db()
    assert (row.repeats, row.last_seen_at) == (1, now + 20 * MINUTE)


def test_the_incident_recovers_and_resolves_when_all_inside_are_well(pipeline, now):
    row = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    first, second = row.failures.order_by("pk")
    recovered = mark_recovered(row, failures=[first.pk], cooldown=COOLDOWN, at=now + MINUTE)
    assert (recovered.recovered_at, recovered.next_escalation_at) == (None, now + 15 * MINUTE)
    assert timeline_kinds(row)[-1] == "failure_recovered"
    both = [first.pk, second.pk]
    recovered = mark_recovered(row, failures=both, cooldown=COOLDOWN, at=now + 2 * MINUTE)
    assert (recovered.recovered_at, recovered.next_escalation_at) == (now + 2 * MINUTE, None)
    assert mark_recovered(row, failures=both, cooldown=COOLDOWN, at=now + 31 * MINUTE).state == "open"
    assert mark_recovered(row, failures=both, cooldown=COOLDOWN, at=now + 32 * MINUTE).state == "resolved"
    assert open_failures() == []


def test_a_failure_that_comes_back_restarts_the_escalation(pipeline, now):
    row = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    mark_recovered(row, cooldown=COOLDOWN, at=now + MINUTE)
    trigger(pipeline, 2, now, minutes=3)
    row.refresh_from_db()
    assert (row.recovered_at, row.next_escalation_at) == (None, now + 18 * MINUTE)
    assert list(row.failures.order_by("pk").values_list("recovered_at", flat=True)) == [now + MINUTE, None]


def test_a_worse_failure_raises_the_severity(pipeline, now):
    row = trigger(pipeline, 1, now, severity="high")
    trigger(pipeline, 2, now, severity="low")
    row.refresh_from_db()
    assert row.severity == "high"
    trigger(pipeline, 3, now, severity="critical")
    row.refresh_from_db()
    assert row.severity == "critical"


def test_a_worse_failure_wakes_the_responder_of_an_incident_that_waited_for_working_hours(pipeline):
    night = dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC)
    row = trigger(pipeline, 1, night, severity="low")
    assert not Message.objects.exists()
    trigger(pipeline, 2, night, minutes=1, severity="high")
    escalate_due(at=night + MINUTE)
    assert Message.objects.count() == 1
    assert Incident.objects.get() == row


def test_a_title_that_a_person_wrote_stays(pipeline, now, a):
    row = trigger(pipeline, 1, now)
    update_incident(row, by=a, at=now, title="The warehouse is down")
    trigger(pipeline, 2, now)
    row.refresh_from_db()
    assert row.title == "The warehouse is down"


def test_a_failure_joins_an_acknowledged_incident_quietly(pipeline, now, a):
    row = trigger(pipeline, 1, now)
    acknowledge(row, by=a, at=now + MINUTE)
    trigger(pipeline, 2, now, minutes=2)
    row.refresh_from_db()
    assert (row.state, row.next_escalation_at, row.failures.count()) == ("acknowledged", None, 2)
    assert Message.objects.count() == 1


def test_a_failure_does_not_join_what_a_person_or_an_alert_opened(pipeline, now, a):
    from tests.incidents.test_incidents import make_incident

    make_incident(pipeline, at=now, by=a)
    make_incident(pipeline, at=now, source="alert", fingerprint="f00")
    trigger(pipeline, 1, now)
    assert Incident.objects.count() == 3


def test_a_failure_that_a_person_resolved_does_not_open_again(pipeline, now, a):
    row = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    resolve(row, by=a, at=now + MINUTE)
    for number in (1, 2):
        ongoing = replace(failure(number, now), seen_at=now + 2 * MINUTE)
        assert trigger_incident(pipeline, trigger=ongoing, at=now + 2 * MINUTE) is None


def test_a_new_failure_of_one_reopens_the_incident_for_all(pipeline, now, a):
    row = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    resolve(row, by=a, at=now + MINUTE)
    assert trigger(pipeline, 2, now, minutes=10) == row
    assert (Incident.objects.get().state, open_failures()) == ("open", [1, 2])
    assert trigger(pipeline, 1, now, minutes=11) == row


def test_a_check_that_fails_in_another_incident_stays_there_when_the_old_one_is_reopened(pipeline, now, a):
    old = trigger(pipeline, 1, now)
    trigger(pipeline, 2, now)
    resolve(old, by=a, at=now + MINUTE)
    new = trigger(pipeline, 2, now, minutes=40)
    assert new != old
    reopen(old, by=a, at=now + 41 * MINUTE)
    assert list(new.failures.values_list("is_open", flat=True)) == [True]
    assert list(old.failures.order_by("pk").values_list("is_open", flat=True)) == [True, False]
    assert trigger(pipeline, 2, now, minutes=42) == new


@pytest.fixture
def checks(pipeline, a):
    metric = make_metric(pipeline)
    return [
        make_check(pipeline, a, metric=metric, name=f"Range {number}", parameters={"fail_below": 1})
        for number in range(3)
    ]


def alert(check, at):
    Check.objects.filter(pk=check.pk).update(alerting_since=at, last_run_at=at, last_status="fail", last_message="0.")


def test_the_sweep_joins_failing_checks_and_resolves_when_all_pass(pipeline, checks, now, a):
    for check in checks:
        alert(check, now)
    assert sync_with_checks(at=now) == 3
    [row] = Incident.objects.all()
    Check.objects.filter(pk=checks[0].pk).update(alerting_since=None)
    delete_check(checks[1], by=a, at=now)
    sync_with_checks(at=now + MINUTE)
    recovered = row.failures.order_by("pk").values_list("recovered_at", flat=True)
    assert list(recovered) == [now + MINUTE, now + MINUTE, None]
    Check.objects.update(alerting_since=None)
    sync_with_checks(at=now + 2 * MINUTE)
    sync_with_checks(at=now + 32 * MINUTE)
    row.refresh_from_db()
    assert (row.state, row.recovered_at) == ("resolved", now + 2 * MINUTE)


def test_external_checks_join_too(pipeline, checks, now):
    alert(checks[0], now)
    for key in ("orders", "users"):
        fields = {"tool": "dbt", "key": key, "name": key, "status": "fail", "message": "3 rows.", "created_at": now}
        ExternalCheck.objects.create(pipeline=pipeline, at=now, **fields)
    sync_with_checks(at=now)
    sync_with_external_checks(at=now)
    [row] = Incident.objects.all()
    assert list(row.failures.order_by("pk").values_list("check_id", "fingerprint")) == [
        (checks[0].pk, ""),
        (None, "dbt:orders"),
        (None, "dbt:users"),
    ]
    ExternalCheck.objects.filter(key="orders").update(status="pass")
    sync_with_external_checks(at=now + MINUTE)
    assert list(row.failures.exclude(recovered_at=None).values_list("fingerprint", flat=True)) == ["dbt:orders"]
    assert Incident.objects.get().recovered_at is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trial", range(5))
def test_two_workers_with_two_failing_checks_of_a_pipeline_open_one_incident(pipeline, now, trial):
    barrier, errors = threading.Barrier(4), []

    def work(number):
        try:
            barrier.wait()
            trigger(pipeline, number, now)
        except Exception as error:  # noqa: BLE001  # shown by the test
            errors.append(error)
        finally:
            connection.close()

    # Two of them report the same check.
    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    [row] = Incident.objects.all()
    assert sorted(row.failures.values_list("check_id", flat=True)) == [1, 2, 3]
    assert Message.objects.filter(type="incident-escalated").count() == 1


def test_the_page_the_admin_and_the_api_list_the_failures(signed_in, client, pipeline, checks, now, a, admin):
    for check in checks:
        alert(check, now)
    sync_with_checks(at=now)
    [row] = Incident.objects.all()
    Check.objects.filter(pk=checks[2].pk).update(alerting_since=None)
    sync_with_checks(at=now + MINUTE)
    page = " ".join(signed_in(a).get(f"/incidents/{row.pk}/").content.decode().split())
    for check in checks:
        assert f'href="/checks/{check.pk}/"' in page
    assert (page.count("</svg>failing"), page.count("</svg>recovered")) == (2, 1)
    call = f"/api/v1/incidents/{row.pk}/"
    listed = client.get(f"{call}failures/", **bearer(a)).json()
    assert [(one["check_id"], bool(one["recovered_at"])) for one in listed["results"]] == [
        (checks[0].pk, False),
        (checks[1].pk, False),
        (checks[2].pk, True),
    ]
    assert client.get(call, **bearer(a)).json()["failures"] == listed["results"]
    assert "Range 1" in signed_in(admin).get(f"/admin/incidents/incident/{row.pk}/change/").content.decode()
