"""Blame: an incident below a failing parent is held, and escalates at once when nothing upstream holds it any more."""

import datetime as dt
import random
import threading
from itertools import combinations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.domain.blame import OpenIncident
from incidents.models import Incident
from incidents.services.escalation import escalate, escalate_due
from incidents.services.maintenance import schedule_maintenance
from incidents.services.transitions import acknowledge, reassign, reopen, resolve, snooze
from incidents.services.triggers import mark_recovered, sync_with_all_checks, sync_with_checks
from lineage.domain.graph import Link
from lineage.models import EDGE_FADES_AFTER, Edge
from lineage.services.edges import add_edge, cut_edge
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from pipelines.models import Pipeline
from tests.each import each
from tests.factories import bearer, make_pipeline
from tests.incidents.test_blame_domain import SIZE, oracle
from tests.incidents.test_incidents import MINUTE, make_incident, notified_people, timeline_kinds
from tests.incidents.test_storms import alert, trigger
from tests.thorough import THOROUGH
from tests.validation.fixtures import make_check, make_metric
from validation.models import ExternalCheck

COOLDOWN = 30 * MINUTE


def link(upstream, downstream, *, at):
    return add_edge(upstream=upstream, downstream=downstream, at=at)


@pytest.fixture
def pipelines(pipeline):
    """Three pipelines, the first upstream of the second and that of the third, with three responders."""
    others = Pipeline.objects.exclude(pk=pipeline.pk).order_by("pk")
    return [pipeline, *others[:2]]


@pytest.fixture
def edges(pipelines, now):
    raw, core, mart = pipelines
    return [link(raw, core, at=now), link(core, mart, at=now)]


@pytest.fixture
def parent(pipelines, edges, now):
    return trigger(pipelines[0], 1, now)


@pytest.fixture
def child(pipelines, parent, now):
    return trigger(pipelines[1], 2, now, minutes=1)


def pages():
    return Message.objects.filter(type="incident-escalated")


def is_released(child, *, at):
    """Sweep once, and return True if the incident escalated."""
    child.refresh_from_db()
    assert (child.hold, notified_people(child)) == ("upstream", [])
    escalate_due(at=at)
    child.refresh_from_db()
    assert bool(notified_people(child)) == (child.hold == "")
    return child.hold == ""


def test_the_child_hangs_below_its_parent_and_pages_nobody(parent, child, now):
    assert (child.parent, child.state, child.hold) == (parent, "open", "upstream")
    assert timeline_kinds(child) == ["opened", "upstream"]
    assert [message.recipient for message in pages()] == notified_people(parent)
    assert child.next_escalation_at == now + 15 * MINUTE


def test_its_responder_gets_one_message_of_low_urgency(pipelines, parent, now, a, b, outsider):
    others = [make_pipeline(f"Mart {n}", primary=outsider, secondary=b, position=90 + n) for n in (1, 2)]
    for number, other in enumerate(others):
        link(pipelines[0], other, at=now)
        row = trigger(other, 10 + number, now, minutes=1)
        assert (row.parent, row.hold) == (parent, "upstream")
    [message] = Message.objects.filter(type="incident-held")
    assert (message.recipient, message.urgent) == (outsider, False)
    assert message.subject == f"Upstream: {parent.pipeline}: {parent.title}"
    assert "Mart 1 is failing too: Check 10 failed" in message.text
    assert is_still_relevant(message, at=now)
    assert pages().count() == 1
    first = Incident.objects.get(check_id=10)
    resolve(first, by=a, at=now + 2 * MINUTE)
    assert not is_still_relevant(message, at=now + 2 * MINUTE)


def test_what_was_opened_below_a_child_hangs_below_the_root(pipelines, parent, child, now):
    grandchild = trigger(pipelines[2], 3, now, minutes=2)
    assert (grandchild.parent, grandchild.hold) == (parent, "upstream")


def test_a_stale_pipeline_in_between_passes_the_blame_on(pipelines, parent, now):
    ExternalCheck.objects.create(
        pipeline=pipelines[1], tool="dbt", key="core", name="core", status="pass", is_stale=True, at=now, created_at=now
    )
    assert trigger(pipelines[2], 3, now).parent == parent


def test_a_pipeline_that_is_well_passes_nothing_on(pipelines, parent, now):
    assert trigger(pipelines[2], 3, now).parent is None
    assert pages().count() == 2


def test_without_an_edge_both_page(pipelines, now):
    trigger(pipelines[0], 1, now)
    assert trigger(pipelines[1], 2, now).parent is None


def test_cut_and_faded_edges_silence_nobody(pipelines, edges, parent, now, a, admin):
    cut_edge(edges[0], by=admin, at=now)
    assert trigger(pipelines[1], 2, now).parent is None
    resolve(Incident.objects.latest("pk"), by=a, at=now)
    Edge.objects.filter(pk=edges[0].pk).update(
        cut_at=None, source="dbt", first_seen_at=now - EDGE_FADES_AFTER, last_seen_at=now - EDGE_FADES_AFTER
    )
    assert trigger(pipelines[1], 4, now, minutes=6).parent is None


def test_while_the_parent_is_in_time_nothing_happens(child, now):
    assert not is_released(child, at=now + 14 * MINUTE)


def test_a_resolved_parent_lets_the_child_escalate_at_once(parent, child, now, a):
    resolve(parent, by=a, at=now + 3 * MINUTE)
    assert is_released(child, at=now + 3 * MINUTE)
    assert timeline_kinds(child) == ["opened", "upstream", "upstream_ended", "notified"]
    assert child.timeline.get(kind="upstream_ended").text == "The upstream incident was resolved."
    assert (child.parent, child.next_escalation_at) == (parent, now + 18 * MINUTE)
    assert escalate_due(at=now + 4 * MINUTE) == 0


def test_a_parent_that_recovers_lets_the_child_escalate_at_once(parent, child, now):
    mark_recovered(parent, cooldown=COOLDOWN, at=now + 3 * MINUTE)
    assert is_released(child, at=now + 3 * MINUTE)


def test_a_parent_unacknowledged_past_its_time_lets_the_child_escalate(parent, child, now, a):
    assert not is_released(child, at=now + 15 * MINUTE - dt.timedelta(seconds=1))
    assert is_released(child, at=now + 15 * MINUTE)
    acknowledge(parent, by=a, at=now + 16 * MINUTE)
    assert escalate_due(at=now + 30 * MINUTE) == 1
    assert len(notified_people(child)) == 2


def test_an_acknowledged_parent_holds_the_child_past_its_time(parent, child, now, a):
    acknowledge(parent, by=a, at=now + 5 * MINUTE)
    assert not is_released(child, at=now + 15 * MINUTE)
    assert child.next_escalation_at is None
    assert not is_released(child, at=now + 300 * MINUTE)
    resolve(parent, by=a, at=now + 301 * MINUTE)
    assert is_released(child, at=now + 301 * MINUTE)


def test_a_cut_edge_lets_the_child_escalate_at_once(edges, parent, child, now, a, admin):
    acknowledge(parent, by=a, at=now + 2 * MINUTE)
    cut_edge(edges[0], by=admin, at=now + 3 * MINUTE)
    assert is_released(child, at=now + 3 * MINUTE)
    assert child.timeline.get(kind="upstream_ended").text == f"{parent.pipeline} is no longer upstream."


def test_a_pipeline_in_between_that_recovers_lets_what_is_below_escalate(pipelines, parent, child, now):
    grandchild = trigger(pipelines[2], 3, now, minutes=2)
    mark_recovered(child, cooldown=COOLDOWN, at=now + 3 * MINUTE)
    assert is_released(grandchild, at=now + 3 * MINUTE)
    child.refresh_from_db()
    assert (child.hold, notified_people(child)) == ("upstream", [])


def test_a_child_that_recovers_never_pages(parent, child, now, a):
    mark_recovered(child, cooldown=COOLDOWN, at=now + 2 * MINUTE)
    resolve(parent, by=a, at=now + 3 * MINUTE)
    assert escalate_due(at=now + 3 * MINUTE) == 0
    assert mark_recovered(child, cooldown=COOLDOWN, at=now + 32 * MINUTE).state == "resolved"
    assert pages().count() == 1


@pytest.mark.parametrize("silence", ["snoozed", "maintenance", "low", "drill"])
def test_a_parent_of_which_nobody_was_notified_in_time_silences_nobody(pipelines, edges, now, a, silence):
    night = now.replace(hour=2)
    raw, core, _ = pipelines
    if silence == "maintenance":
        schedule_maintenance(raw, by=a, at=night, starts_at=night, ends_at=night + 60 * MINUTE, reason="Migration")
    source = "drill" if silence == "drill" else "check"
    severity = "low" if silence == "low" else "high"
    parent = make_incident(raw, at=night, source=source, check_id=1, severity=severity)
    late = 0
    if silence == "snoozed":
        snooze(parent, until=night + 300 * MINUTE, by=a, at=night)
        late = 16
    child = trigger(core, 2, night, minutes=late)
    assert (child.parent, child.hold) == (None, "")
    assert notified_people(child) != []


def test_maintenance_of_the_child_comes_first_and_then_the_parent(pipelines, edges, parent, now, a):
    window = schedule_maintenance(
        pipelines[1], by=a, at=now, starts_at=now, ends_at=now + 10 * MINUTE, reason="Migration"
    )
    child = trigger(pipelines[1], 2, now, minutes=1)
    assert (child.hold, child.next_escalation_at) == ("maintenance", window.ends_at)
    escalate_due(at=window.ends_at)
    child.refresh_from_db()
    assert (child.hold, timeline_kinds(child)) == ("upstream", ["opened", "held", "upstream"])
    resolve(parent, by=a, at=now + 11 * MINUTE)
    assert is_released(child, at=now + 11 * MINUTE)


NIGHT = dt.timedelta(hours=-8)  # before working hours


@pytest.mark.parametrize("reason", ["maintenance", "low severity"])
def test_an_unnotified_incident_becomes_the_child_of_a_later_parent(pipelines, edges, now, a, reason):
    raw, core, _ = pipelines
    begin = now + NIGHT
    if reason == "maintenance":
        schedule_maintenance(core, by=a, at=begin, starts_at=begin, ends_at=now, reason="Migration")
    child = trigger(core, 2, begin, severity="low" if reason == "low severity" else "high")
    assert (child.parent, notified_people(child)) == (None, [])
    parent = trigger(raw, 1, now, minutes=-5)
    due = max(child.next_escalation_at, now)
    acknowledge(parent, by=a, at=due)
    escalate_due(at=due)
    child.refresh_from_db()
    assert (child.parent, child.hold, notified_people(child)) == (parent, "upstream", [])
    resolve(parent, by=a, at=due + MINUTE)
    assert is_released(child, at=due + MINUTE)


@each("reason", ["notified", "assigned", "reopened", "no edge", "parent unacknowledged"])
def test_an_incident_that_does_not_become_a_child_of_a_later_parent(pipelines, edges, now, a, b, admin, reason):
    raw, core, _ = pipelines
    if reason == "no edge":
        cut_edge(edges[0], by=admin, at=now)
    if reason != "notified":
        schedule_maintenance(core, by=a, at=now, starts_at=now, ends_at=now + 20 * MINUTE, reason="Migration")
    child = trigger(core, 2, now)
    if reason == "assigned":
        reassign(child, to=b, by=a, at=now)
    if reason == "reopened":
        child = reopen(resolve(child, by=a, at=now), by=a, at=now + MINUTE)
    parent = trigger(raw, 1, now, minutes=1 if reason == "parent unacknowledged" else 19)
    escalate_due(at=now + 20 * MINUTE)
    child.refresh_from_db()
    assert (child.parent, child.hold, parent.is_resolved) == (None, "", False)
    assert notified_people(child) != []


@pytest.mark.parametrize("seed", range(6) if THOROUGH else (0, 3))
def test_blame_matches_the_oracle_on_random_graphs_after_maintenance(now, a, b, seed):
    """Pipelines fail in random order, some in maintenance; afterwards each that waited has one parent."""
    source = random.Random(seed)
    pipes = [make_pipeline(f"Pipe {number}", primary=a, secondary=b, position=number) for number in range(SIZE)]
    links = {pair for pair in combinations(range(SIZE), 2) if source.random() < 0.4}
    for upstream, downstream in sorted(links):
        link(pipes[upstream], pipes[downstream], at=now)
    waiting = {number for number in range(SIZE) if source.random() < 0.5}
    for number in waiting:
        schedule_maintenance(pipes[number], by=a, at=now, starts_at=now, ends_at=now + 10 * MINUTE, reason="Migration")
    opened = {}
    for number in source.sample(range(SIZE), k=source.randint(3, SIZE)):
        opened[number] = trigger(pipes[number], number, now, minutes=source.randint(0, 8))
    at = now + 10 * MINUTE
    paged = [row for row in Incident.objects.order_by("pk") if notified_people(row)]
    domain_links = [Link(*pair) for pair in links]
    for number in sorted(waiting & opened.keys(), key=lambda key: opened[key].pk):
        child = Incident.objects.get(pk=opened[number].pk)
        facts = [
            OpenIncident(row.pk, row.pipeline.position, row.opened_at, step.at + 15 * MINUTE)
            for row in Incident.objects.select_related("pipeline")
            if (step := row.escalation_steps.order_by("at").first())
        ]
        root = oracle(domain_links, set(opened), facts, number, at=at)
        escalate(child.pk, at=at)
        child.refresh_from_db()
        expected = child.parent_id if opened[number].parent_id else (root and root.key)
        assert (child.parent_id, bool(notified_people(child))) == (expected, expected is None)
    assert {row.pk for row in paged} <= {row.pk for row in Incident.objects.all() if notified_people(row)}


def test_a_child_that_is_assigned_belongs_to_its_assignee(parent, child, now, a, b):
    reassign(child, to=b, by=a, at=now + 2 * MINUTE)
    child.refresh_from_db()
    assert (child.hold, child.next_escalation_at) == ("", now + 17 * MINUTE)
    assert escalate_due(at=now + 2 * MINUTE) == 0


def test_a_child_that_fails_again_is_blamed_again_and_one_reopened_by_hand_is_not(parent, child, now, a):
    mark_recovered(child, cooldown=MINUTE, at=now + 2 * MINUTE)
    mark_recovered(child, cooldown=MINUTE, at=now + 3 * MINUTE)
    again = trigger(child.pipeline, 2, now, minutes=5)
    assert (again, again.parent, again.hold) == (child, parent, "upstream")
    by_hand = reopen(resolve(child, by=a, at=now + 6 * MINUTE), by=a, at=now + 7 * MINUTE)
    assert (by_hand.parent, by_hand.hold) == (None, "")


def test_a_sweep_opens_what_is_upstream_first(pipelines, edges, now, a):
    checks = [make_check(pipe, a, metric=make_metric(pipe), parameters={"fail_below": 1}) for pipe in pipelines]
    for number, check in enumerate(checks):
        alert(check, now - number * MINUTE)
    sync_with_checks(at=now)
    parent, *children = Incident.objects.order_by("pk")
    assert (parent.pipeline, pages().count()) == (pipelines[0], 1)
    assert [child.parent for child in children] == [parent, parent]


def test_a_failure_of_another_tool_upstream_comes_before_an_own_check_downstream(pipelines, edges, now, a):
    raw, core, _ = pipelines
    alert(make_check(core, a, metric=make_metric(core), parameters={"fail_below": 1}), now)
    ExternalCheck.objects.create(pipeline=raw, tool="dbt", key="raw", name="raw", status="fail", at=now, created_at=now)
    sync_with_all_checks(at=now)
    parent, child = Incident.objects.order_by("pk")
    assert (parent.pipeline, child.parent, pages().count()) == (raw, parent, 1)


def test_many_children_page_one_person_and_are_looked_at_in_a_fixed_number_of_statements(
    pipelines, parent, child, now, a, b, outsider
):
    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert escalate_due(at=now + 2 * MINUTE) == 0
        return len(captured)

    one = statements()
    for number in range(9):
        other = make_pipeline(f"Mart {number}", primary=outsider, secondary=b, position=90 + number)
        link(pipelines[0], other, at=now)
        trigger(other, 100 + number, now, minutes=1)
    assert Incident.objects.filter(parent=parent, hold="upstream").count() == 10
    assert statements() == one
    assert [message.recipient for message in pages()] == notified_people(parent)
    assert Message.objects.filter(type="incident-held", recipient=outsider).count() == 1
    resolve(parent, by=a, at=now + 3 * MINUTE)
    assert escalate_due(at=now + 3 * MINUTE) == 10
    assert not Incident.objects.filter(hold="upstream").exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("trial", range(3))
def test_a_child_opened_while_its_parent_is_resolved_is_lost_by_nobody(pipelines, edges, now, a, trial):
    parent = trigger(pipelines[0], 1, now)
    barrier, errors = threading.Barrier(2), []

    def work(do):
        try:
            barrier.wait()
            do()
        except Exception as error:  # noqa: BLE001  # shown by the test
            errors.append(error)
        finally:
            connection.close()

    steps = [lambda: resolve(parent, by=a, at=now), lambda: trigger(pipelines[1], 2, now)]
    threads = [threading.Thread(target=work, args=(step,)) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    child = Incident.objects.get(check_id=2)
    escalate_due(at=now + MINUTE)
    child.refresh_from_db()
    assert (child.hold, len(notified_people(child))) == ("", 1)


def test_the_pages_the_api_and_the_admin_show_both_ends(signed_in, client, parent, child, now, a, admin):
    browser = signed_in(a)
    text = " ".join(browser.get(f"/incidents/{child.pk}/").content.decode().split())
    assert f'Caused by {parent.pipeline} upstream: <a href="/incidents/{parent.pk}/">' in text
    assert f"Escalation paused: {parent.pipeline} is failing upstream." in text
    text = " ".join(browser.get(f"/incidents/{parent.pk}/").content.decode().split())
    assert "Caused downstream" in text
    assert f'<a href="/incidents/{child.pk}/">' in text
    assert f"Caused by {parent.pipeline} upstream" in browser.get("/incidents/").content.decode()
    assert f"Escalation paused: {parent.pipeline} is failing upstream" in browser.get("/").content.decode()
    headers = bearer(a)
    below = client.get(f"/api/v1/incidents/{child.pk}/", **headers).json()
    above = client.get(f"/api/v1/incidents/{parent.pk}/", **headers).json()
    assert (below["parent"], below["children"], below["held"]) == (parent.pk, [], True)
    assert (above["parent"], above["children"], above["held"]) == (None, [child.pk], False)
    listed = client.get(f"/api/v1/incidents/?parent={parent.pk}", **headers).json()["results"]
    assert [(row["id"], row["parent"]) for row in listed] == [(child.pk, parent.pk)]
    assert client.get("/api/v1/incidents/?parent=x", **headers).json().keys() == {"parent"}
    rows = signed_in(admin).get("/admin/incidents/incident/").content.decode()
    assert f"/admin/incidents/incident/{parent.pk}/change/" in rows


def test_the_parents_page_and_its_api_take_the_same_statements_for_any_number_of_children(
    signed_in, client, pipelines, parent, child, now, a
):
    browser, headers, path = signed_in(a), bearer(a), f"/incidents/{parent.pk}/"

    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
            assert client.get(f"/api/v1{path}", **headers).status_code == 200
        return len(captured)

    statements()
    one = statements()
    for number in range(30):
        Incident.objects.create(
            pipeline=pipelines[2], parent=parent, title=f"Late {number}", opened_at=now, last_seen_at=now
        )
    assert statements() == one
    answer = client.get(f"/api/v1{path}", **headers).json()
    assert len(answer["children"]) == 31
