"""Rows that are locked after a wait are read with the relations that they have by then."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from incidents.models import Incident
from incidents.services.transitions import lock_incident
from pipelines.services import Owners, change_owners, reassign
from tests.databases import is_lock_awaited
from tests.factories import make_engineer, make_pipeline
from tests.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def meanwhile(change, *, call):
    """Return the result of a call that waits until a change, which another connection makes, is committed."""
    results = []

    def wait_and_call():
        try:
            results.append(call())
        finally:
            connection.close()

    thread = threading.Thread(target=wait_and_call)
    with transaction.atomic():
        change()
        thread.start()
        wait_until(is_lock_awaited)
    thread.join()
    return results[0]


@pytest.fixture
def people():
    return [make_engineer(f"Engineer {letter}") for letter in "ABCD"]


@pytest.fixture
def pipeline(people):
    return make_pipeline("Orders", primary=people[0], secondary=people[1])


def test_a_leaver_owns_nothing_though_the_other_owner_changed_meanwhile(pipeline, people):
    leaver, _, new, successor = people
    reassigned = meanwhile(
        lambda: change_owners({pipeline: Owners(primary=leaver, secondary=new)}),
        call=lambda: reassign(leaver=leaver, successor=successor),
    )
    pipeline.refresh_from_db()
    assert reassigned == [pipeline]
    assert (pipeline.primary_owner, pipeline.secondary_owner) == (successor, new)


@pytest.mark.parametrize("was_assigned", [False, True])
def test_an_incident_has_the_assignee_that_it_got_meanwhile(pipeline, people, was_assigned):
    now = timezone.now()
    incident = Incident.objects.create(
        pipeline=pipeline, title="Late", kind="issue", severity="low", source="person", opened_at=now, last_seen_at=now,
        assignee=people[0] if was_assigned else None,
    )  # fmt: skip

    def assignee():
        with transaction.atomic():
            return lock_incident(incident).assignee

    change = Incident.objects.filter(pk=incident.pk)
    assert meanwhile(lambda: change.update(assignee=people[1]), call=assignee) == people[1]
