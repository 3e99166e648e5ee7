"""Runbook runs: the numbered steps as a checklist on an incident."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError
from incidents.models import RunStep
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import acknowledge, reopen, resolve
from runbooks.models import Runbook
from runbooks.services import save_revision
from tests.each import each
from tests.incidents.test_incidents import MINUTE, make_incident, timeline_kinds

STEPS = [
    "Check upstream log systems for delays.",
    "Review anomaly detection thresholds.",
    "Rerun failed tasks in the pipeline.",
]


def test_a_run_is_a_checklist_of_the_current_revision(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    run = start_run(incident, by=a, at=now)
    assert list(run.steps.values_list("position", "text")) == list(enumerate(STEPS, start=1))
    assert (run.revision, run.started_by) == (1, a)
    runbook = Runbook.objects.get(pipeline=pipeline)
    save_revision(runbook, markdown="### Troubleshooting Steps\n\n1. Other.\n", based_on=1, author=a)
    assert list(run.steps.values_list("text", flat=True)) == STEPS
    with pytest.raises(DomainError, match="already in progress"):
        start_run(incident, by=a, at=now)


def test_a_step_is_marked_as_done_annotated_and_undone(pipeline, now, a, b):
    incident = make_incident(pipeline, at=now)
    with pytest.raises(DomainError, match="Start it first"):
        mark_step(incident, position=1, done=True, by=a, at=now)
    start_run(incident, by=a, at=now)
    step = mark_step(incident, position=2, done=True, note="Fine.", by=a, at=now + MINUTE)
    assert (step.done_by, step.done_at, step.note) == (a, now + MINUTE, "Fine.")
    again = mark_step(incident, position=2, done=True, by=a, at=now + 2 * MINUTE)
    assert again.done_at == now + MINUTE
    with pytest.raises(DomainError, match="Engineer A already did step 2"):
        mark_step(incident, position=2, done=True, by=b, at=now + 2 * MINUTE)
    with pytest.raises(InvalidInputError):
        mark_step(incident, position=4, done=True, by=b, at=now)
    mark_step(incident, position=2, note="Not fine.", by=b, at=now)
    step = mark_step(incident, position=2, done=False, by=b, at=now)
    assert (step.done_by, step.done_at, step.note) == (None, None, "Not fine.")
    assert timeline_kinds(incident).count("step") == 2


def test_resolving_records_the_step_that_fixed_the_incident(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    start_run(incident, by=a, at=now)
    with pytest.raises(DomainError, match="not done"):
        resolve(incident, by=a, at=now, fixed_by_step=3)
    with pytest.raises(InvalidInputError):
        resolve(incident, by=a, at=now, fixed_by_step=9)
    mark_step(incident, position=3, done=True, by=a, at=now + MINUTE)
    resolve(incident, by=a, at=now + 2 * MINUTE, fixed_by_step=3)
    run = incident.runs.get()
    assert run.ended_at == now + 2 * MINUTE
    assert list(run.steps.filter(fixed_incident=True).values_list("position", flat=True)) == [3]
    with pytest.raises(DomainError):
        mark_step(incident, position=1, done=True, by=a, at=now)
    reopen(incident, by=a, at=now + 3 * MINUTE)
    second = start_run(incident, by=a, at=now + 4 * MINUTE)
    assert second.pk != run.pk


def test_a_run_needs_a_runbook_with_steps(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    runbook = Runbook.objects.get(pipeline=pipeline)
    save_revision(runbook, markdown="### Purpose\n\nNone.\n", based_on=1, author=a)
    with pytest.raises(DomainError, match="no list"):
        start_run(incident, by=a, at=now)
    runbook.delete()
    with pytest.raises(DomainError, match="no runbook"):
        start_run(incident, by=a, at=now)


def test_the_database_refuses_impossible_runs(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    run = start_run(incident, by=a, at=now)
    rows = RunStep.objects.filter(run=run, position=1)
    for fields in ({"done_at": now}, {"fixed_incident": True}, {"position": 2}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)


def test_marking_a_step_keeps_the_notes_typed_on_others(signed_in, pipeline, a):
    incident = make_incident(pipeline, at=timezone.now())
    start_run(incident, by=a, at=timezone.now())
    fields = {
        "done": "1",
        "note-1": "",
        "shown-1": "",
        "note-2": "Typed on two.",
        "shown-2": "",
        "note-3": "Typed.",
        "shown-3": "",
    }
    for headers in ({}, {"HX-Request": "true"}):
        signed_in(a).post(f"/incidents/{incident.pk}/steps/1/", fields, headers=headers)
        steps = RunStep.objects.order_by("position").values_list("note", "done_by")
        assert list(steps) == [("", a.pk), ("Typed on two.", None), ("Typed.", None)]


def test_enter_in_a_note_marks_no_step(signed_in, pipeline, a):
    """Enter presses the first button of the form."""
    incident = make_incident(pipeline, at=timezone.now())
    start_run(incident, by=a, at=timezone.now())
    page = signed_in(a).get(f"/incidents/{incident.pk}/").content.decode()
    checklist = page[page.index('<form class="checklist"') :]
    first_button = checklist[checklist.index("<button") : checklist.index("</button>")]
    assert "Save notes" in first_button
    assert "name=" not in first_button


def test_marking_a_step_that_somebody_else_did_keeps_the_notes(signed_in, pipeline, a, b):
    incident = make_incident(pipeline, at=timezone.now())
    start_run(incident, by=a, at=timezone.now())
    mark_step(incident, position=1, done=True, by=b, at=timezone.now())
    answer = signed_in(a).post(f"/incidents/{incident.pk}/steps/1/", {"done": "1", "note-2": "Mine.", "shown-2": ""})
    assert answer.status_code == 409
    assert RunStep.objects.get(position=2).note == "Mine."


@each(
    ("shown", "typed", "note"),
    [
        ("", "Mine.", "Theirs. / Mine."),
        ("Theirs.", "Mine.", "Mine."),
        ("Theirs.", "", ""),
        ("", "", "Theirs."),
        ("Older.", "Older.", "Theirs."),
        ("Older.", "Older. More.", "Theirs. / Older. More."),
        ("", "Theirs.", "Theirs."),
    ],
)
def test_a_note_that_somebody_changed_meanwhile_is_not_overwritten(signed_in, pipeline, a, shown, typed, note):
    incident = make_incident(pipeline, at=timezone.now())
    start_run(incident, by=a, at=timezone.now())
    mark_step(incident, position=2, note="Theirs.", by=a, at=timezone.now())
    signed_in(a).post(f"/incidents/{incident.pk}/steps/1/", {"done": "1", "note-2": typed, "shown-2": shown})
    assert RunStep.objects.get(position=2).note == note


@each(
    ("state", "fields", "kinds"),
    [
        ("open", {"acknowledge": "1"}, ["acknowledged", "run_started", "step"]),
        ("acknowledged", {}, ["run_started", "step"]),
    ],
)
def test_the_first_step_is_done_from_the_list_of_steps(signed_in, pipeline, now, a, state, fields, kinds):
    incident = make_incident(pipeline, at=now)
    if state == "acknowledged":
        acknowledge(incident, by=a, at=now)
    browser, path = signed_in(a), f"/incidents/{incident.pk}/"
    page = browser.get(path).content.decode()
    assert ('name="acknowledge" value="1"' in page, 'name="first_step_done"' in page) == (bool(fields), True)
    before = len(timeline_kinds(incident))
    answer = browser.post(f"{path}run/", {**fields, "first_step_done": "1"})
    assert answer.headers["Location"] == f"{path}#run"
    assert timeline_kinds(incident)[before:] == kinds
    assert [step.done_by for step in incident.runs.get().steps.all()] == [a, None, None]


@each("revision", ["2", "0", "x", "-1", "9" * 20])
def test_a_step_of_another_revision_is_not_marked(signed_in, pipeline, now, a, revision):
    """If the runbook has changed since the page was loaded, its checklist starts without a marked step."""
    incident = make_incident(pipeline, at=now)
    signed_in(a).post(f"/incidents/{incident.pk}/run/", {"first_step_done": revision})
    assert [step.done_at for step in incident.runs.get().steps.all()] == [None, None, None]


def test_a_form_returns_to_its_part_of_the_page(signed_in, pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    start_run(incident, by=a, at=now)
    browser, path = signed_in(a), f"/incidents/{incident.pk}/"
    noted = browser.post(f"{path}note/", {"text": "Upstream is late."}).headers["Location"]
    stepped = browser.post(f"{path}steps/2/", {"done": "1"}).headers["Location"]
    note = incident.timeline.get(kind="note")
    assert (noted, stepped) == (f"{path}#entry-{note.pk}", f"{path}#step-2")
    page = browser.get(path).content.decode()
    assert [page.count(f'id="{part}"') for part in (f"entry-{note.pk}", "step-2", "timeline")] == [1, 1, 1]
    undo = re.search(r'name="undo" value="([^"]+)"', page)[1]
    assert browser.post("/undo/", {"undo": undo}).headers["Location"] == f"{path}#timeline"
