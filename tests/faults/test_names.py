"""Renaming, importing again and colliding names: nobody's pipelines or shifts move (promise 29)."""

import datetime as dt
import random
import threading
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from handbook.services import import_handbook
from people.domain.names import match_key
from people.models import HandbookAlias, User
from people.services.accounts import change_profile
from pipelines.models import Pipeline
from scheduling.models import RosterMember, RotationWeek
from tests.factories import make_engineer

SEED = Path(__file__).parents[2] / "examples" / "handbook.md"
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
NAMES = [
    "Alice",
    "Bob",
    "alice",
    "B o b",
    "Zoë",
    "李 Wei",
    "ENGINEER A",
    "engineer-b",
    "Engineer  C",
    "Ｅngineer D",
    "Dora",
]


def owned():
    """Return who owns what and who has which shift, by primary key."""
    owners = list(Pipeline.objects.order_by("pk").values_list("pk", "primary_owner", "secondary_owner"))
    weeks = list(RotationWeek.objects.order_by("pk").values_list("pk", "engineer", "planned_engineer"))
    members = list(RosterMember.objects.order_by("pk").values_list("roster", "engineer", "position"))
    return owners, weeks, members


def is_taken(name, user):
    """Return True if the name is another person's, read without the site's own check."""
    keys = [
        match_key(text)
        for other in User.objects.exclude(pk=user.pk)
        for text in (other.display_name, other.handbook_name)
    ]
    keys += [match_key(row.name) for row in HandbookAlias.objects.exclude(user=user)]
    return match_key(name) in keys


def check_names(rounds, *, seed):
    """Rename people at random, and import the same handbook after each step; return how many names were refused."""
    chance = random.Random(seed)  # not a secret
    import_handbook(SEED.read_bytes(), at=AT)
    make_engineer("Newcomer")
    before, refused = owned(), 0
    handbook_names = dict(User.objects.values_list("pk", "handbook_name"))
    for step in range(rounds):
        user = chance.choice(list(User.objects.order_by("pk")))
        name = chance.choice([*NAMES, *User.objects.values_list("display_name", flat=True)])
        expected = is_taken(name, user)
        try:
            change_profile(user, fields={"display_name": name})
        except ValidationError:
            refused += 1
            assert expected, f"step {step}: {name} was refused for {user.username}"
        else:
            assert not expected, f"step {step}: {user.username} took the name {name}"
        report = import_handbook(SEED.read_bytes(), at=AT)
        assert report.is_unchanged, f"step {step}: {report.lines()}"
        assert owned() == before, f"step {step}: something moved"
        assert dict(User.objects.values_list("pk", "handbook_name")) == handbook_names
    return f"{rounds} random renames and imports: {refused} names refused, nothing moved"


def check_simultaneous_names(rounds):
    """Let two people take one name at the same time; exactly one gets it."""
    people = [make_engineer(f"Racer {letter}") for letter in "XY"]
    for number in range(rounds):
        outcomes, ready = [], threading.Barrier(len(people))

        def rename(user, name=f"Champion {number}", outcomes=outcomes, ready=ready):
            row = User.objects.get(pk=user.pk)
            ready.wait()
            try:
                change_profile(row, fields={"display_name": name})
                outcomes.append("renamed")
            except ValidationError:
                outcomes.append("refused")
            finally:
                connection.close()

        threads = [threading.Thread(target=rename, args=[user]) for user in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) == ["refused", "renamed"], f"round {number}: {outcomes}"
    return f"{rounds} names taken by two people at once: one got each"


def test_random_renames_and_imports_move_nothing(db):
    check_names(10, seed=29)


@pytest.mark.django_db(transaction=True)
def test_two_people_cannot_take_one_name_at_once():
    check_simultaneous_names(5)


def test_the_database_refuses_what_a_service_would_miss(db):
    a, b = make_engineer("Ana"), make_engineer("Ben")
    b.display_name = "ANA"
    with pytest.raises(IntegrityError), transaction.atomic():
        b.save()
    assert list(User.objects.order_by("pk").values_list("display_name", flat=True)) == [a.display_name, "Ben"]
