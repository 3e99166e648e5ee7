"""Boards of the timeline from memory equal newly rendered ones, for each reader."""

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from people.models import User
from pipelines.models import Pipeline
from scheduling.models import CoverageGap, CoverRequest, RosterMember, SwapRequest
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.offboarding import deactivate
from scheduling.services.swaps import SwapProposal, request_swap
from tests.factories import make_engineer
from tests.memory import empty_memory, restore_memory
from tests.oncall_site.test_response_cache import DAY, HOUR, World
from tests.thorough import THOROUGH

# Each change opens six pages.
CHANGES = 200 if THOROUGH else 12
PATHS = ("/schedule/", "/schedule/?weeks=4", "/schedule/?weeks=26&page=2")


class TimelineWorld(World):
    """A random schedule with readers of the timeline, and changes that only pages show."""

    def __init__(self, seed):
        super().__init__(seed)
        engineers = list(User.objects.filter(is_active=True, is_staff=False).order_by("pk")[:2])
        User.objects.filter(pk=engineers[1].pk).update(time_zone="Asia/Tokyo")
        self.people = (*engineers, self.admin, make_engineer("Outside"))
        self.readers = [Client() for _ in self.people]
        for reader, user in zip(self.readers, self.people, strict=True):
            reader.force_login(user)

    def leave(self):
        """Deactivate an engineer who is not a reader: a reader's session would end."""
        others = User.objects.filter(is_active=True).exclude(pk__in=[user.pk for user in self.people])
        if others.count() > 1:
            deactivate(self.one(others), by=self.admin, at=self.at)

    def ask_for_cover(self):
        rotation, begin = self.rotation(), self.at + HOUR * self.random.randint(0, 300)
        week = rotation.weeks.get(starts_at__lte=begin, ends_at__gt=begin)
        proposal = CoverProposal(begin, min(begin + HOUR * self.random.randint(1, 60), week.ends_at))
        request_cover(rotation, proposal=proposal, by=self.admin, at=self.at)

    def ask_for_swap(self):
        rotation = self.rotation()
        request_swap(rotation, proposal=SwapProposal(self.week(rotation).starts_on), by=self.admin, at=self.at)

    def change_page_facts(self):
        """Change rows that no answer about who is on call depends on."""
        number = self.random.randint(0, 99_999)
        begin = self.at + HOUR * number % (50 * DAY)
        person = User.objects.filter(pk=self.person().pk)
        self.random.choice(
            [
                lambda: person.update(display_name=f"Renamed {number}", display_key=f"renamed {number}"),
                lambda: person.update(colour=1 + number % 12),
                lambda: person.update(country=("DE", "US", "")[number % 3], subdivision=""),
                lambda: CoverageGap.objects.create(
                    pipeline=self.one(Pipeline.objects.all()), starts_at=begin, ends_at=begin + 5 * HOUR
                ),
                lambda: self.one(CoverageGap.objects.all()).delete(),
                lambda: self.one(SwapRequest.objects.all()).delete(),
                lambda: self.one(CoverRequest.objects.all()).delete(),
            ]
        )()

    CHANGES = (
        *(one for one in World.CHANGES if one is not World.leave),
        leave,
        *([ask_for_cover] * 3),
        *([ask_for_swap] * 3),
        *([change_page_facts] * 12),
    )


def shown(reader, path):
    """Return the boards of a page, and the number of statements that it ran."""
    with CaptureQueriesContext(connection) as statements:
        page = reader.get(path)
    assert page.status_code == 200
    return [(board.rotation.pk, board.chart, board.table) for board in page.context["boards"]], len(statements)


@pytest.fixture
def world(db, monkeypatch):
    empty_memory()
    world = TimelineWorld(46)
    monkeypatch.setattr("django.utils.timezone.now", lambda: world.at)
    return world


def test_after_random_changes_a_board_from_memory_equals_a_new_one(world):
    done, from_memory = set(), 0
    for _ in range(CHANGES):
        while (change := world.change()) == "refused":
            pass
        done.add(change)
        reader, path = world.random.choice(world.readers), world.random.choice(PATHS)
        # The long step is not the last one: the next change would hide a board that was shown for too long.
        for hours in (0.001, world.random.choice([0.5, 30]), 0.1):
            known, statements = shown(reader, path)
            previous = empty_memory()
            fresh, more = shown(reader, path)
            assert known == fresh, path
            from_memory += statements < more
            restore_memory(previous)
            world.at += HOUR * hours
    assert {"ask_for_cover", "ask_for_swap", "change_page_facts"} < done
    assert from_memory > 5


def test_a_board_is_drawn_again_when_a_shift_starts(world):
    reader, ends_at = (
        world.readers[0],
        world.rotation().weeks.filter(ends_at__gt=world.at + HOUR).earliest("ends_at").ends_at,
    )
    world.at = ends_at - HOUR / 60
    before, _ = shown(reader, PATHS[0])
    world.at = ends_at + HOUR / 60
    known, _ = shown(reader, PATHS[0])
    empty_memory()
    assert known == shown(reader, PATHS[0])[0]
    assert known != before


def test_readers_share_boards_without_bars_of_their_own(world):
    first, _, admin, outside = world.readers
    shown(first, PATHS[0])
    whole, statements = shown(outside, PATHS[0])
    again, fewer = shown(outside, PATHS[0])
    assert whole == again
    assert fewer < statements
    assert not any("mine" in chart for _, chart, _ in whole)
    assert all("Edit roster" in chart for _, chart, _ in shown(admin, PATHS[0])[0])
    assert not any("Edit roster" in chart for _, chart, _ in shown(outside, PATHS[0])[0])


def test_a_change_in_another_process_is_seen(world):
    reader = world.readers[3]
    shown(reader, PATHS[0])
    with transaction.atomic():
        [member, *_] = RosterMember.objects.order_by("pk")
        User.objects.filter(pk=member.engineer_id).update(display_name="Somebody New", display_key="somebody new")
    text = "".join(chart for _, chart, _ in shown(reader, PATHS[0])[0])
    assert "Somebody New" in text
