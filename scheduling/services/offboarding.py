"""People who leave: on call for nothing from that commit on (reliability.md, promise 5), and people who come back."""

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Q, QuerySet

from common.exceptions import DomainError, NotAllowedError
from people.models import User
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
    """Make somebody inactive, and give all they were on call for to others, in one transaction.

    They leave every roster from the next week on, whose weeks are planned anew; the running week, if theirs, is covered by
    whoever follows on the roster; their covers end; swaps with them that have not begun become void. What they own stays
    theirs until it is reassigned, and is answered for by the other owner.

    Raises Forbidden for who is no admin; Refused for oneself, and where somebody is the only one on a roster.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin deactivates people.")
    if leaver.pk == by.pk:
        raise DomainError("Nobody deactivates themselves: ask another admin.")
    # All rotations, since an exchange that is being made may bring the leaver into one they were not in.
    rotations = lock_all_rotations()
    lock_people([leaver])
    User.objects.filter(pk=leaver.pk).update(is_active=False)
    leaver.is_active = False
    release(leaver, rotations=rotations, by=by, at=at)


@transaction.atomic
def reassign_inactive(*, at: dt.datetime) -> int:
    """Release whoever is inactive and on call for something all the same, say by an import past the site; return how many."""
    if not _on_something(at=at).exists():
        # Nearly always: no rotation is locked, and none is looked at one by one.
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
    """Return the inactive people who have a place on any roster, or a week or a cover that is not over."""
    on_it = Q(weeks__ends_at__gt=at) | Q(covers__ends_at__gt=at) | Q(roster_places__isnull=False)
    return User.objects.filter(on_it, is_active=False)


def _named_ahead(rotation: Rotation, *, at: dt.datetime) -> set[int]:
    """Return who is on the roster of the next week or of a later one."""
    known = roster_versions([rotation]).get(rotation.pk, [])
    first = _next_week(rotation, at=at)
    in_force = [version for version in known if version.starts_on <= first][-1:]
    later = [version for version in known if version.starts_on > first]
    return {engineer for version in (*in_force, *later) for engineer in version.engineers}


def release(leaver: User, *, rotations: list[Rotation], by: User, at: dt.datetime) -> None:
    """Give all that an inactive engineer is on call for to others; the caller has locked these rotations."""
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
    """Return the date of the first week that has not begun."""
    coming = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on").values_list("starts_on", flat=True).first()
    return coming or week_start(at.date(), weekday=rotation.handoff_weekday) + WEEK


def _leave_rosters(rotation: Rotation, leaver: User, *, known: list[RosterVersion], at: dt.datetime) -> None:
    """Take somebody off the roster in force, from the next week on, and off every later one."""
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
    """Return a roster's engineers in the order of their turns from a week on, but for one: the others' turns come earlier."""
    turn = (starts_on - version.starts_on).days // 7 % len(version.engineers)
    order = (*version.engineers[turn:], *version.engineers[:turn])
    return [engineer for engineer in order if engineer != without]


def _cover_running_week(rotation: Rotation, leaver: User, *, by: User, at: dt.datetime) -> None:
    """Let whoever is next cover what is left of the leaver's running week, but for the times that are covered already."""
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
    """Make somebody active again; a roster names them again only when it is changed. Raises Forbidden for who is no admin."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin brings people back.")
    lock_people([engineer])
    User.objects.filter(pk=engineer.pk).update(is_active=True)
    engineer.is_active = True
