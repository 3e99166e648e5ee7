"""The order in which rows are locked: rotations by key, then people by key (reliability.md, Lock order)."""

from collections.abc import Iterable

from people.models import User
from scheduling.models import Rotation
from scheduling.queries.weeks import rotations_with


def lock_rotation(rotation: Rotation) -> Rotation:
    """Lock a rotation's row until the transaction ends; return it as it is now. Every change of its weeks does so first."""
    return Rotation.objects.select_for_update(no_key=True).get(pk=rotation.pk)


def lock_all_rotations() -> list[Rotation]:
    """Lock every rotation's row; return them in order of key."""
    return list(Rotation.objects.select_for_update(no_key=True).order_by("pk"))


def lock_people(people: Iterable[User]) -> dict[int, User]:
    """Lock people's rows, after their rotations; return them, by key, as they are now.

    Whoever is about to be put on call and whoever blocks dates or is deactivated meet here, also where no rotation yet joins
    them.
    """
    keys = {person.pk for person in people}
    rows = User.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def lock_availability_of(engineer: User) -> User:
    """Lock all that depends on whether an engineer is available, and the engineer; return the row as it is now."""
    list(Rotation.objects.select_for_update(no_key=True).filter(pk__in=rotations_with(engineer)).order_by("pk"))
    return lock_people([engineer])[engineer.pk]
