"""Deactivate and reactivate engineers. A deactivated engineer is on call for nothing once the transaction commits."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Q, QuerySet

from common.exceptions import DomainError, NotAllowedError
from people.models import User
from people.services.accounts import check_admin_remains
from scheduling.domain.weeks import WEEK, RosterVersion, current_week, rosters_from
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Cover, Roster, RosterMember, Rotation
from scheduling.notifications import notify_cover_created, notify_cover_ended
from scheduling.queries.on_call import assignments_between, on_call_shifts
from scheduling.services.locks import lock_all_rotations, lock_people
from scheduling.services.open_requests import void_cover_requests
from scheduling.services.weeks import replan

logger = logging.getLogger(__name__)


@transaction.atomic
def deactivate(leaver: User, *, by: User, at: dt.datetime) -> None:
    """Deactivate a user and reassign all their on-call time in one transaction.

    They leave every roster from the next week on, and those weeks are replanned. If the current week is theirs, the
    next engineer on the roster covers it. Their covers end, and their swaps that have not started become void. They
    keep the pipelines they own until those are reassigned; the other owner responds for them.

    Raises NotAllowedError if `by` is not an admin; DomainError for deactivating oneself, and if a roster has no other
    engineer.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin can deactivate people.")
    if leaver.pk == by.pk:
        raise DomainError("You cannot deactivate yourself. Ask another admin.")
    # Lock all rotations: a concurrent swap may bring the user into a rotation they were not part of.
    rotations = lock_all_rotations()
    lock_people([leaver])
    check_admin_remains(leaver)
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    leaver.is_active = False
    release(leaver, rotations=rotations, by=by, at=at)


@transaction.atomic
def reassign_inactive(*, at: dt.datetime) -> int:
    """Release inactive users who are still on call, for example after an import; return how many."""
    if not _inactive_on_schedule(at=at).exists():
        # The common case: nobody to release, so no rotation is locked or inspected.
        return 0
    rotations = lock_all_rotations()
    on_rosters = {key for rotation in rotations for key in _on_roster_ahead(rotation, at=at)}
    on_call = {shift.engineer.id for shift in on_call_shifts(rotations, at=at) if shift.engineer}
    is_assigned = Q(weeks__starts_at__gt=at) | Q(covers__ends_at__gt=at) | Q(pk__in=on_rosters | on_call)
    inactive = User.objects.filter(is_assigned, is_active=False).values("pk")
    leavers = list(User.objects.filter(pk__in=inactive).order_by("pk"))
    admin = User.objects.filter(is_active=True, is_staff=True).order_by("pk").first()
    released = 0
    for leaver in leavers:
        try:
            with transaction.atomic():
                release(leaver, rotations=rotations, by=admin or leaver, at=at)
        except DomainError as error:
            logger.warning("%s is inactive but still on the schedule: %s", leaver.username, error)
        else:
            released += 1
    return released


def _inactive_on_schedule(*, at: dt.datetime) -> QuerySet[User]:
    """Return inactive users who are on any roster, or have a week or cover that is not over."""
    is_scheduled = (
        Q(weeks__ends_at__gt=at)
        | Q(covers__ends_at__gt=at)
        | Q(roster_memberships__roster__rotation__in=Rotation.objects.active().order_by().values("pk"))
    )
    return User.objects.filter(is_scheduled, is_active=False)


def _on_roster_ahead(rotation: Rotation, *, at: dt.datetime) -> set[int]:
    """Return the users on the roster of the next week or of a later one."""
    versions = roster_versions([rotation]).get(rotation.pk, [])
    upcoming = rosters_from(versions, week=_next_week(rotation, at=at))
    return {engineer.id for roster in upcoming for engineer in roster.engineers}


def release(leaver: User, *, rotations: list[Rotation], by: User, at: dt.datetime) -> None:
    """Reassign everything an inactive engineer is on call for; the caller has locked these rotations."""
    covers = Cover.objects.filter(engineer=leaver, ends_at__gt=at)
    covered_rotations = set(covers.values_list("rotation", flat=True))
    for cover in covers.select_related("engineer", "covered_engineer", "rotation"):
        notify_cover_ended(cover, at=at)
    covers.filter(starts_at__gte=at).delete()
    covers.filter(starts_at__lt=at).update(ends_at=at)
    versions = roster_versions(rotations)
    for rotation in rotations:
        rosters = versions.get(rotation.pk, [])
        has_weeks = rotation.weeks.filter(engineer=leaver, ends_at__gt=at).exists()
        is_member = has_weeks or any(leaver.person in roster.engineers for roster in rosters)
        if is_member:
            _leave_rosters(rotation, leaver, rosters=rosters, at=at)
        if is_member or rotation.pk in covered_rotations:
            _cover_running_week(rotation, by=by, at=at)
        if is_member:
            replan(rotation, first=_next_week(rotation, at=at), at=at)
        void_cover_requests(rotation, at=at)


def _next_week(rotation: Rotation, *, at: dt.datetime) -> dt.date:
    """Return the start date of the first week that has not started."""
    upcoming = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on").values_list("starts_on", flat=True)
    return upcoming.first() or current_week(rotation_hours(rotation), at=at) + WEEK


def _leave_rosters(rotation: Rotation, leaver: User, *, rosters: list[RosterVersion], at: dt.datetime) -> None:
    """Remove a user from the active roster, from the next week on, and from every later roster."""
    next_week = _next_week(rotation, at=at)
    for version in rosters_from(rosters, week=next_week):
        if leaver.person not in version.engineers:
            continue
        starts_on = max(version.starts_on, next_week)
        remaining = [engineer for engineer in version.order_from(starts_on) if engineer != leaver.person]
        if not remaining:
            raise DomainError(f"{leaver} is the only engineer on the roster of {rotation}. Add another engineer first.")
        rotation.rosters.filter(starts_on=starts_on).delete()
        roster = Roster.objects.create(rotation=rotation, starts_on=starts_on)
        RosterMember.objects.bulk_create(
            RosterMember(roster=roster, engineer_id=person.id, position=position)
            for position, person in enumerate(remaining)
        )


def _cover_running_week(rotation: Rotation, *, by: User, at: dt.datetime) -> None:
    """Let the next active engineer cover the rest of the current week while its on-call engineer is inactive."""
    running = rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).first()
    if running is None:
        return
    parts = assignments_between(rotation, starts_at=at, ends_at=running.ends_at)
    unattended = [part for part in parts if not part.engineer.is_active]
    if not unattended:
        return
    rosters = rosters_from(roster_versions([rotation]).get(rotation.pk, []), week=running.starts_on + WEEK)
    upcoming = rosters[0].engineers if rosters else ()
    active = User.objects.filter(is_active=True).in_bulk([person.id for person in upcoming])
    following = next((active[person.id] for person in upcoming if person.id in active), None)
    if following is None:
        raise DomainError(f"Nobody on the roster of {rotation} is active. Add an active engineer first.")
    for part in unattended:
        cover = Cover.objects.create(
            rotation=rotation,
            engineer=following,
            covered_engineer=part.engineer,
            starts_at=part.starts_at,
            ends_at=part.ends_at,
            reason=f"{part.engineer} is no longer active.",
            created_by=by,
        )
        notify_cover_created(cover, at=at)


@transaction.atomic
def reactivate(engineer: User, *, by: User) -> None:
    """Reactivate a user; raise NotAllowedError if `by` is not an admin.

    The user is on no roster until an admin adds them.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin can reactivate people.")
    lock_people([engineer])
    User.objects.filter(pk=engineer.pk).update(is_active=True)
    engineer.is_active = True
