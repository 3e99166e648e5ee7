"""Row locks, always in this order: rotations by primary key, then people by primary key (docs/reliability.md)."""

from collections.abc import Iterable

from common.exceptions import DomainError
from people.domain.person import Person
from people.models import User
from scheduling.models import Rotation
from scheduling.queries.weeks import rotations_with


def lock_rotation(rotation: Rotation) -> Rotation:
    """Lock a rotation's row until the transaction ends and return it reloaded; call this before changing its weeks."""
    return Rotation.objects.select_for_update(no_key=True).get(pk=rotation.pk)


def lock_active_rotation(rotation: Rotation) -> Rotation:
    """Lock and return a rotation as `lock_rotation` does; raise DomainError if it is archived."""
    row = lock_rotation(rotation)
    if row.archived_at is not None:
        raise DomainError(f"{row} is archived.")
    return row


def lock_all_rotations() -> list[Rotation]:
    """Lock the rows of all active rotations; return them by primary key."""
    return list(Rotation.objects.active().select_for_update(no_key=True))


def lock_people(people: Iterable[User | Person]) -> dict[int, User]:
    """Lock people's rows, after their rotations; return them reloaded, by primary key.

    This serializes putting people on call with adding time off and deactivation, even if no rotation links the people
    yet.
    """
    keys = {person.id for person in people}
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def lock_availability(engineer: User) -> User:
    """Lock everything that depends on an engineer's availability, and the engineer; return the reloaded engineer."""
    list(Rotation.objects.select_for_update(no_key=True).filter(pk__in=rotations_with(engineer)).order_by("pk"))
    return lock_people([engineer])[engineer.pk]
