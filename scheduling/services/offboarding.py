"""Deactivate and reactivate engineers. A deactivated engineer is on call for nothing once the transaction commits."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Q, QuerySet

from common.exceptions import DomainError, NotAllowedError
from people.models import User
from people.services.accounts import check_admin_remains
from scheduling.domain.weeks import WEEK, RosterVersion, week_start
from scheduling.loaders import roster_versions
from scheduling.models import Cover, Roster, RosterMember, Rotation
from scheduling.notifications import notify_cover_created, notify_cover_ended
from scheduling.queries.on_call import assignments_between, on_call_shifts
from scheduling.services.locks import lock_all_rotations, lock_people
from scheduling.services.weeks import replan

logger = logging.getLogger(__name__)


@transaction.atomic
def deactivate(leaver: User, *, by: User, at: dt.datetime) -> None:
    """Deactivate a user and reassign all their on-call time in one transaction.

    They leave every roster from the next week on, and those weeks are replanned. If the current week is theirs, the
    next engineer on the roster covers it. Their covers end, and their swaps that have not started become void. They
    keep the pipelines they own until those are reassigned; the other owner responds for them.

    Raises Forbidden if `by` is not an admin; Refused for deactivating oneself, and if a roster has no other engineer.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin deactivates people.")
    if leaver.pk == by.pk:
        raise DomainError("Nobody deactivates themselves: ask another admin.")
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
    if not _on_something(at=at).exists():
        # The common case: nobody to release, so no rotation is locked or inspected.
        return 0
    rotations = lock_all_rotations()
    by_roster = {key for rotation in rotations for key in _named_ahead(rotation, at=at)}
    now = {turn.engineer for turn in on_call_shifts(rotations, at=at) if turn.engineer}
    holding = Q(weeks__starts_at__gt=at) | Q(covers__ends_at__gt=at) | Q(pk__in=by_roster | now)
    leavers = list(
        User.objects.filter(pk__in=User.objects.filter(holding, is_active=False).values("pk")).order_by("pk")
    )
    admin = User.objects.filter(is_active=True, is_staff=True).order_by("pk").first()
    done = 0
    for leaver in leavers:
        try:
            with transaction.atomic():
                release(leaver, rotations=rotations, by=admin or leaver, at=at)
        except DomainError as refusal:
            logger.warning("%s stays on call for something: %s", leaver.username, refusal)
        else:
            done += 1
    return done


def _on_something(*, at: dt.datetime) -> QuerySet[User]:
    """Return inactive users who are on any roster, or have a week or cover that is not over."""
    on_it = Q(weeks__ends_at__gt=at) | Q(covers__ends_at__gt=at) | Q(roster_places__isnull=False)
    return User.objects.filter(on_it, is_active=False)


def _named_ahead(rotation: Rotation, *, at: dt.datetime) -> set[int]:
    """Return the users on the roster of the next week or of a later one."""
    known = roster_versions([rotation]).get(rotation.pk, [])
    first = _next_week(rotation, at=at)
    in_force = [version for version in known if version.starts_on <= first][-1:]
    later = [version for version in known if version.starts_on > first]
    return {engineer for version in (*in_force, *later) for engineer in version.engineers}


def release(leaver: User, *, rotations: list[Rotation], by: User, at: dt.datetime) -> None:
    """Reassign everything an inactive engineer is on call for; the caller has locked these rotations."""
    covers = Cover.objects.filter(engineer=leaver, ends_at__gt=at)
    for cover in covers.select_related("engineer", "covered_engineer", "rotation"):
        notify_cover_ended(cover, at=at)
    covers.filter(starts_at__gte=at).delete()
    covers.filter(starts_at__lt=at).update(ends_at=at)
    versions = roster_versions(rotations)
    for rotation in rotations:
        known = versions.get(rotation.pk, [])
        held = rotation.weeks.filter(engineer=leaver, ends_at__gt=at).exists()
        if held or any(leaver.pk in version.engineers for version in known):
            _leave_rosters(rotation, leaver, known=known, at=at)
            _cover_running_week(rotation, leaver, by=by, at=at)
            replan(rotation, first=_next_week(rotation, at=at), at=at)


def _next_week(rotation: Rotation, *, at: dt.datetime) -> dt.date:
    """Return the date of the first week that has not started."""
    coming = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on").values_list("starts_on", flat=True).first()
    return coming or week_start(at.date(), weekday=rotation.handoff_weekday) + WEEK


def _leave_rosters(rotation: Rotation, leaver: User, *, known: list[RosterVersion], at: dt.datetime) -> None:
    """Remove a user from the current roster, from the next week on, and from every later roster."""
    first = _next_week(rotation, at=at)
    in_force = [version for version in known if version.starts_on <= first][-1:]
    later = [version for version in known if version.starts_on > first]
    for version in (*in_force, *later):
        if leaver.pk not in version.engineers:
            continue
        starts_on = max(version.starts_on, first)
        left = _order_from(version, starts_on=starts_on, without=leaver.pk)
        if not left:
            raise DomainError(f"{leaver} is the only one on the roster of {rotation}: put somebody else on it first.")
        rotation.rosters.filter(starts_on=starts_on).delete()
        roster = Roster.objects.create(rotation=rotation, starts_on=starts_on)
        RosterMember.objects.bulk_create(
            RosterMember(roster=roster, engineer_id=key, position=place) for place, key in enumerate(left)
        )


def _order_from(version: RosterVersion, *, starts_on: dt.date, without: int) -> list[int]:
    """Return a roster's engineers, except one, in the order of their shifts from a week on."""
    turn = (starts_on - version.starts_on).days // 7 % len(version.engineers)
    order = (*version.engineers[turn:], *version.engineers[:turn])
    return [engineer for engineer in order if engineer != without]


def _cover_running_week(rotation: Rotation, leaver: User, *, by: User, at: dt.datetime) -> None:
    """Let the next engineers cover the rest of the leaver's current week, except periods that are already covered."""
    running = rotation.weeks.filter(engineer=leaver, starts_at__lte=at, ends_at__gt=at).first()
    if running is None:
        return
    newest = roster_versions([rotation])[rotation.pk]
    upcoming = [version for version in newest if version.starts_on > running.starts_on][:1] or newest[-1:]
    active = User.objects.filter(is_active=True).in_bulk(upcoming[0].engineers)
    following = next((active[key] for key in upcoming[0].engineers if key in active), None)
    if following is None:
        raise DomainError(f"Nobody on the roster of {rotation} is active: put somebody on it first.")
    for part in assignments_between(rotation, starts_at=at, ends_at=running.ends_at):
        if part.engineer.pk == leaver.pk:
            cover = Cover.objects.create(
                rotation=rotation,
                engineer=following,
                covered_engineer=leaver,
                starts_at=part.starts_at,
                ends_at=part.ends_at,
                reason=f"{leaver} is no longer active.",
                created_by=by,
            )
            notify_cover_created(cover, at=at)


@transaction.atomic
def reactivate(engineer: User, *, by: User) -> None:
    """Reactivate a user; raise Forbidden if `by` is not an admin.

    The user is on no roster until an admin adds them.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin brings people back.")
    lock_people([engineer])
    User.objects.filter(pk=engineer.pk).update(is_active=True)
    engineer.is_active = True
