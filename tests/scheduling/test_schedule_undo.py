"""Undoing an archived rotation and a changed roster: what is restored, who is notified, and what prevents it."""

import datetime as dt
import threading

import pytest
from django.db import connection, transaction

from common.exceptions import DomainError, NotAllowedError
from notifications.models import Message
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Cover, CoverRequest, Rotation, RotationWeek, SwapRequest
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.offboarding import deactivate
from scheduling.services.rotations import create_rotation, move_pipeline
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.undo import archive_with_undo, change_roster_with_undo
from tests.databases import is_lock_awaited
from tests.factories import import_started_example
from tests.snapshots import this_minute
from tests.waiting import wait_until

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    return import_started_example(at=now)


@pytest.fixture
def weeks(rotation, now):
    """The weeks that begin in a week or later, in order."""
    rows = rotation.weeks.filter(starts_at__gt=now).select_related("engineer").order_by("starts_on")
    return list(rows[1:])


def engineers(rotation):
    return list(
        rotation.weeks.order_by("starts_on").values_list("starts_on", "ends_at", "engineer", "planned_engineer")
    )


def covers(rotation):
    return sorted(rotation.covers.values_list("starts_at", "ends_at", "engineer", "covered_engineer", "request"))


def message_recipients(name):
    return sorted(Message.objects.filter(type=name).values_list("recipient__username", flat=True))


def test_a_running_cover_of_an_archived_rotation_goes_on_from_the_undo(rotation, now, admin, d):
    running = rotation.weeks.get(starts_at__lte=now, ends_at__gt=now)
    other = d if running.engineer != d else rotation.weeks.filter(starts_at__gt=now).first().engineer
    start = now + MINUTE
    cover = create_cover(rotation, data=CoverData(other, start, running.ends_at), by=admin, at=now)
    before, pipelines = engineers(rotation), set(rotation.pipelines.values_list("pipeline", flat=True))
    undo = archive_with_undo(rotation, by=admin, at=start + MINUTE)
    assert rotation.weeks.filter(ends_at__gt=start + MINUTE).count() == 0
    undo.perform(by=admin, at=start + 2 * MINUTE)
    assert engineers(rotation) == before
    assert set(rotation.pipelines.values_list("pipeline", flat=True)) == pipelines
    parts = rotation.covers.order_by("starts_at").values_list("starts_at", "ends_at")
    assert list(parts) == [(start, start + MINUTE), (start + 2 * MINUTE, running.ends_at)]
    assert message_recipients("cover-created") == sorted([other.username, running.engineer.username] * 2)
    assert Cover.objects.filter(pk=cover.pk).exists()


def test_requests_that_archiving_closed_are_open_again_and_their_recipients_are_reminded(rotation, weeks, now, admin):
    swap = request_swap(
        rotation, proposal=SwapProposal(weeks[0].starts_on, counterpart=weeks[1].engineer), by=weeks[0].engineer, at=now
    )
    proposal = CoverProposal(weeks[0].starts_at, weeks[0].starts_at + HOUR, counterpart=weeks[2].engineer)
    cover = request_cover(rotation, proposal=proposal, by=weeks[0].engineer, at=now)
    undo = archive_with_undo(rotation, by=admin, at=now)
    assert (SwapRequest.objects.get().state, CoverRequest.objects.get().state) == ("void", "void")
    undo.perform(by=admin, at=now + MINUTE)
    assert SwapRequest.objects.filter(pk=swap.pk, state="pending", decided_at=None, reason="").exists()
    assert CoverRequest.objects.filter(pk=cover.pk, state="pending", decided_at=None, reason="").exists()
    assert message_recipients("swap-reminder") == [weeks[1].engineer.username]
    assert message_recipients("cover-reminder") == [weeks[2].engineer.username]


def test_a_swap_that_a_new_roster_cancelled_is_restored(rotation, weeks, now, admin, a, b, c, d):
    swap = request_swap(
        rotation, proposal=SwapProposal(weeks[0].starts_on, weeks[1].starts_on), by=weeks[0].engineer, at=now
    )
    accept_swap(swap, by=weeks[1].engineer, at=now)
    cover = create_cover(
        rotation,
        data=CoverData(weeks[2].engineer, weeks[0].starts_at, weeks[0].starts_at + HOUR),
        by=admin,
        at=now,
    )
    before, covered = engineers(rotation), covers(rotation)
    left = [person for person in (a, b, c, d) if person not in (weeks[0].engineer, weeks[1].engineer)]
    undo = change_roster_with_undo(rotation, engineers=left, starts_on=weeks[0].starts_on, by=admin, at=now)
    assert SwapRequest.objects.get().state == "void"
    assert engineers(rotation) != before
    undo.perform(by=admin, at=now + MINUTE)
    assert SwapRequest.objects.get().state == "accepted"
    assert (engineers(rotation), covers(rotation)) == (before, covered)
    assert [roster.starts_on for roster in rotation.rosters.all()] == [rotation.rosters.get().starts_on]
    assert cover.rotation_id == rotation.pk
    again = Message.objects.filter(type="shifts-changed", dedup_key__contains=(now + MINUTE).isoformat())
    assert set(again.values_list("recipient__username", flat=True)) == {one.username for one in (a, b, c, d)}


def test_weeks_that_a_new_roster_stored_follow_the_restored_roster(rotation, weeks, now, admin):
    before = engineers(rotation)
    rotation.weeks.filter(pk__in=[week.pk for week in weeks[-4:]]).delete()
    undo = change_roster_with_undo(
        rotation, engineers=[weeks[0].engineer], starts_on=weeks[0].starts_on, by=admin, at=now
    )
    assert rotation.weeks.count() == len(before)
    undo.perform(by=admin, at=now + MINUTE)
    assert engineers(rotation) == before


def accept_a_swap(rotation, weeks, now, admin):
    held = list(RotationWeek.objects.filter(rotation=rotation, starts_at__gt=now).order_by("starts_on"))
    proposal = SwapProposal(held[2].starts_on, counterpart=held[3].engineer)
    accept_swap(request_swap(rotation, proposal=proposal, by=held[2].engineer, at=now), by=held[3].engineer, at=now)


def cover_a_part(rotation, weeks, now, admin):
    held = RotationWeek.objects.filter(rotation=rotation, starts_at__gt=now).order_by("starts_on")[3]
    other = next(week.engineer for week in weeks if week.engineer != held.engineer)
    create_cover(rotation, data=CoverData(other, held.starts_at, held.starts_at + HOUR), by=admin, at=now)


def leave(rotation, weeks, now, admin):
    deactivate(weeks[3].engineer, by=admin, at=now)


@pytest.mark.parametrize("change", [accept_a_swap, cover_a_part, leave])
def test_a_roster_is_not_restored_over_a_later_change(change, rotation, weeks, now, admin, a, b, c, d):
    swapped = [weeks[1].engineer, weeks[0].engineer, weeks[2].engineer]
    undo = change_roster_with_undo(rotation, engineers=swapped, starts_on=weeks[0].starts_on, by=admin, at=now)
    change(rotation, weeks, now, admin)
    after = engineers(rotation)
    with pytest.raises(DomainError):
        undo.perform(by=admin, at=now + MINUTE)
    assert engineers(rotation) == after


def test_a_roster_is_not_restored_after_its_first_shift_has_started(rotation, weeks, now, admin):
    swapped = [weeks[1].engineer, weeks[0].engineer]
    start = weeks[0].starts_at
    undo = change_roster_with_undo(
        rotation, engineers=swapped, starts_on=weeks[0].starts_on, by=admin, at=start - MINUTE
    )
    with pytest.raises(DomainError, match="has since started"):
        undo.perform(by=admin, at=start)


def test_who_is_no_longer_an_admin_restores_nothing(rotation, weeks, now, admin):
    start = weeks[0].starts_on
    undo_roster = change_roster_with_undo(rotation, engineers=[weeks[1].engineer], starts_on=start, by=admin, at=now)
    undo_archive = archive_with_undo(rotation, by=admin, at=now)
    User.objects.filter(pk=admin.pk).update(is_staff=False)
    former = User.objects.get(pk=admin.pk)
    for undo in (undo_archive, undo_roster):
        with pytest.raises(NotAllowedError, match="Only an admin can restore a schedule"):
            undo.perform(by=former, at=now + MINUTE)
    assert Rotation.objects.get().archived_at == now


def test_a_rotation_stays_archived_if_one_of_its_pipelines_is_in_another_one(rotation, now, admin, a):
    undo = archive_with_undo(rotation, by=admin, at=now)
    other = create_rotation(name="Finance", engineers=[a], by=admin, at=now)
    move_pipeline(Pipeline.objects.first(), rotation=other)
    with pytest.raises(DomainError, match="now belongs to Finance"):
        undo.perform(by=admin, at=now + MINUTE)
    rotation.refresh_from_db()
    assert rotation.archived_at == now


def test_a_rotation_stays_archived_if_one_of_its_pipelines_was_deleted(rotation, now, admin):
    undo = archive_with_undo(rotation, by=admin, at=now)
    Pipeline.objects.first().delete()
    with pytest.raises(DomainError, match="pipelines has since been deleted"):
        undo.perform(by=admin, at=now + MINUTE)
    rotation.refresh_from_db()
    assert rotation.archived_at == now


def test_a_rotation_stays_archived_if_an_engineer_without_weeks_on_its_roster_has_left(rotation, now, admin, d):
    new = User.objects.create(username="engineer-n", display_name="Engineer N")
    roster = rotation.rosters.get()
    roster.members.create(engineer=new, position=roster.members.count())
    undo = archive_with_undo(rotation, by=admin, at=now)
    assert not rotation.weeks.filter(engineer=new).exists()
    User.objects.filter(pk=new.pk).update(is_active=False)
    with pytest.raises(DomainError, match="Engineer N is no longer active"):
        undo.perform(by=admin, at=now + MINUTE)
    rotation.refresh_from_db()
    assert rotation.archived_at == now


def test_an_inactive_engineer_on_an_earlier_roster_does_not_prevent_the_undo(rotation, weeks, now, admin, a, b, c, d):
    change_roster_with_undo(rotation, engineers=[a, b, c], starts_on=weeks[0].starts_on, by=admin, at=now)
    later = weeks[1].starts_at
    deactivate(d, by=admin, at=later)
    undo = archive_with_undo(rotation, by=admin, at=later)
    undo.perform(by=admin, at=later + MINUTE)
    rotation.refresh_from_db()
    assert rotation.archived_at is None


@pytest.mark.django_db(transaction=True)
def test_a_rotation_stays_archived_if_one_of_its_pipelines_is_moved_at_the_same_time(rotation, now, admin, a):
    undo = archive_with_undo(rotation, by=admin, at=now)
    other = create_rotation(name="Finance", engineers=[a], by=admin, at=now)
    pipeline = Pipeline.objects.first()
    errors = []

    def perform():
        try:
            undo.perform(by=admin, at=now + MINUTE)
        except Exception as error:  # noqa: BLE001  # shown by the test
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=perform)
    with transaction.atomic():
        move_pipeline(pipeline, rotation=other)
        thread.start()
        wait_until(is_lock_awaited)
    thread.join()
    assert [type(error) for error in errors] == [DomainError], errors
    rotation.refresh_from_db()
    assert rotation.archived_at == now
