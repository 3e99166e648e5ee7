"""After every step of a random history of changes, all answers about who is on call agree."""

import datetime as dt
import itertools
import random
from functools import partial

import pytest

from calendar_feeds.models import FeedEvent, FeedToken
from calendar_feeds.services import create_feed, sync_feeds
from common.exceptions import DomainError
from handoffs.models import Handoff
from handoffs.services.meetings import sync_handoffs
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.queries.on_call import chains_to_responder, on_call_snapshot, rotation_timeline
from scheduling.queries.stints import on_call_stints
from scheduling.services.answers import record_answer, undo_cover_answer, undo_swap_answer
from scheduling.services.cover_requests import (
    CoverProposal,
    accept_cover_request,
    expire_cover_requests,
    request_cover,
)
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.offboarding import deactivate, reactivate, reassign_inactive
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import update_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, expire_swaps, request_swap
from scheduling.services.weeks import ensure_weeks
from tests.factories import import_example
from tests.thorough import THOROUGH

# A Wednesday of the first week. Steps are hours apart.
START = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(weeks=1)
# `make faults` checks more.
HISTORIES, STEPS = (20, 25) if THOROUGH else (1, 16)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


class History:
    """A rotation and random changes to it."""

    def __init__(self, seed, *, admin):
        self.random, self.admin, self.at = random.Random(seed), admin, START
        self.refused = self.done = 0
        self.undo_last = lambda: None

    @property
    def rotation(self):
        return Rotation.objects.get()

    def person(self):
        return self.random.choice(User.objects.filter(is_active=True).exclude(pk=self.admin.pk).order_by("pk"))

    def week(self):
        return self.random.choice(self.rotation.weeks.filter(starts_at__gt=self.at).order_by("starts_on")[:6])

    def cover(self):
        starts_at = self.at + HOUR * self.random.randint(0, 500)
        data = CoverData(self.person(), starts_at, starts_at + HOUR * self.random.randint(1, 250))
        create_cover(self.rotation, data=data, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def end_cover(self):
        covers = Cover.objects.filter(ends_at__gt=self.at).order_by("pk")
        if covers:
            end_cover(self.random.choice(covers), by=self.admin, at=self.at)

    def swap(self):
        proposal = SwapProposal(self.week().starts_on, self.week().starts_on, acknowledge_conflicts=True)
        swap = request_swap(self.rotation, proposal=proposal, by=self.admin, at=self.at)
        accept = partial(accept_swap, swap, by=self.admin, at=self.at, acknowledge_conflicts=True)
        self.answer(swap, accept, undo=undo_swap_answer)

    def cover_request(self):
        week = self.week()
        hours = sorted(self.random.sample(range(168), 4))
        first, begin, end, last = (week.starts_at + HOUR * hour for hour in hours)
        proposal = CoverProposal(first, last)
        request = request_cover(self.rotation, proposal=proposal, by=self.admin, at=self.at)
        accept = partial(
            accept_cover_request,
            request,
            by=self.admin,
            at=self.at,
            engineer=self.person(),
            starts_at=begin,
            ends_at=end,
            acknowledge_conflicts=True,
        )
        self.answer(request, accept, undo=undo_cover_answer)

    def answer(self, request, service, *, undo):
        """Answer a request, undo the answer, and answer again. The undo must restore the schedule."""
        before = self.schedule()
        _, answer = record_answer(request, service)
        undo(answer, by=self.admin, at=self.at)
        assert self.schedule() == before
        _, answer = record_answer(request, service)
        self.undo_last = lambda: undo(answer, by=self.admin, at=self.at)

    def schedule(self):
        weeks = self.rotation.weeks.order_by("starts_at").values_list("starts_at", "engineer", "planned_engineer")
        covers = self.rotation.covers.order_by("starts_at").values_list(
            "starts_at", "ends_at", "engineer", "covered_engineer"
        )
        return list(weeks), list(covers)

    def undo(self):
        self.undo_last()

    def swap_back(self):
        last = SwapRequest.objects.accepted().exclude(wanted_week=None).last()
        if last:
            proposal = SwapProposal(last.wanted_week, last.offered_week, acknowledge_conflicts=True)
            swap = request_swap(self.rotation, proposal=proposal, by=self.admin, at=self.at)
            accept_swap(swap, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def roster(self):
        people = list(User.objects.filter(is_active=True).exclude(pk=self.admin.pk).order_by("pk"))
        engineers = self.random.sample(people, self.random.randint(1, len(people)))
        change_roster(self.rotation, engineers=engineers, starts_on=self.week().starts_on, by=self.admin, at=self.at)

    def hours(self):
        update_rotation(
            self.rotation,
            by=self.admin,
            at=self.at,
            time_zone=self.random.choice(ZONES),
            handoff_time=dt.time(self.random.randint(0, 23)),
            handoff_weekday=self.random.choice([None, None, *range(7)]),
        )

    def leave(self):
        if User.objects.filter(is_active=True).count() > 3:
            deactivate(self.person(), by=self.admin, at=self.at)

    def come_back(self):
        inactive = User.objects.filter(is_active=False).first()
        if inactive:
            reactivate(inactive, by=self.admin)

    def time_off(self):
        person, day = self.person(), self.at.date() + dt.timedelta(days=self.random.randint(0, 20))
        create_holiday(person, data=HolidayData(day, day + dt.timedelta(days=self.random.randint(0, 5))), by=person)

    def step(self):
        self.at += HOUR * self.random.randint(1, 30)
        actions = [self.cover] * 4 + [self.end_cover] * 2 + [self.swap, self.swap_back, self.roster, self.hours]
        actions += [self.cover_request, self.undo]
        action = self.random.choice([*actions, self.leave, self.come_back, self.time_off])
        try:
            action()
            self.done += 1
        except DomainError:
            self.refused += 1
        reassign_inactive(at=self.at)

    def check(self):
        rotation = self.rotation
        weeks = list(RotationWeek.objects.filter(rotation=rotation).order_by("starts_at"))
        assert all(before.ends_at == after.starts_at for before, after in itertools.pairwise(weeks))
        for cover in Cover.objects.filter(ends_at__gt=self.at):
            [week] = RotationWeek.objects.overlapping(starts_at=cover.starts_at, ends_at=cover.ends_at)
            assert cover.engineer_id != week.engineer_id
        inactive = set(User.objects.filter(is_active=False).values_list("pk", flat=True))
        assert not RotationWeek.objects.filter(engineer__in=inactive, starts_at__gt=self.at).exists()
        end = self.at + 5 * WEEK
        intervals = rotation_timeline(rotation, starts_at=self.at, ends_at=end)
        assert (intervals[0].starts_at, intervals[-1].ends_at) == (self.at, end)
        assert all(before.ends_at == after.starts_at for before, after in itertools.pairwise(intervals))
        stints = on_call_stints(rotation, starts_at=self.at, ends_at=end)
        pipeline = Pipeline.objects.select_related("in_rotation__rotation").first()
        instants = [self.at] + [self.at + HOUR * self.random.randint(0, 24 * 34) for _ in range(6)]
        for at in instants:
            snapshot = on_call_snapshot([pipeline], rotations=[rotation], at=at)
            [shift], chain = snapshot.shifts, snapshot.chains[pipeline.pk]
            [interval] = [part for part in intervals if part.starts_at <= at < part.ends_at]
            [stint] = [part for part in stints if part.starts_at <= at < part.ends_at]
            link = chain.links[0]
            assert (link.role, link.engineer, link.available) == ("on_call", shift.engineer, shift.available)
            assert stint.engineer.person == shift.engineer
            rotations = {pipeline.pk: rotation.pk}
            short = chains_to_responder([pipeline], rotations=rotations, at=at)[pipeline.pk]
            assert (short.responder, short.acting_owner) == (chain.responder, chain.acting_owner)
            assert up_to_responder(short) == up_to_responder(chain)
            assert interval.engineer == (shift.engineer if shift.available else None)
            assert (interval.because == "cover") == (shift.covering and shift.available)
            # Of inactive engineers, the sweep releases only those on call now.
            assert at > self.at or shift.engineer.id not in inactive

    def check_what_follows(self):
        """Assert that hand-offs, feeds and open requests follow the schedule, and that a second sweep changes nothing."""
        ensure_weeks(self.rotation, today=self.at.date())
        for sweep in (expire_swaps, expire_cover_requests, sync_handoffs, sync_feeds):
            sweep(at=self.at)
            assert sweep(at=self.at) == 0, sweep.__name__
        weeks = {week.starts_on: week for week in self.rotation.weeks.select_related("engineer")}
        wanted = {
            after.starts_on: (after.starts_at, before.engineer_id, after.engineer_id)
            for before, after in itertools.pairwise(sorted(weeks.values(), key=lambda week: week.starts_at))
            if after.starts_at > self.at and before.engineer_id != after.engineer_id
        }
        rows = Handoff.objects.filter(rotation=self.rotation, cancelled_at=None, at__gt=self.at)
        assert {row.week: (row.at, row.outgoing_id, row.incoming_id) for row in rows} == wanted
        for swap in SwapRequest.objects.pending():
            given = {swap.offered_week: swap.requester_id, swap.wanted_week: swap.counterpart_id}
            for day, engineer in given.items():
                assert day is None or (weeks[day].starts_at > self.at and weeks[day].engineer_id == engineer)
        for stint in on_call_stints(self.rotation, starts_at=self.at, ends_at=self.at + 5 * WEEK):
            person = stint.engineer.person.id
            # Deactivating someone ends their feed for good.
            if FeedToken.objects.usable().filter(owner=person).exists():
                events = FeedEvent.objects.filter(engineer=person, cancelled=False, ends_at__gt=stint.starts_at)
                shown = events.filter(starts_at__lte=stint.starts_at, source__regex="^(week|cover)-")
                assert shown.exists(), (stint, person)


def up_to_responder(chain):
    links = [(link.engineer, link.role, link.available, link.reason) for link in chain.links]
    places = [place for place, link in enumerate(chain.links, 1) if link.available]
    return links[: places[0]] if places else links


@pytest.mark.parametrize("number", range(HISTORIES))
def test_all_answers_agree_after_every_step(seed, admin, number):
    import_example(at=START, starting=dt.date(2026, 11, 23))
    history = History(number, admin=admin)
    for person in User.objects.exclude(pk=admin.pk):
        create_feed(person, rotation=None, at=START)
    for step in range(STEPS):
        history.step()
        history.check()
        if step % 8 == 0:
            history.check_what_follows()
    assert history.done > history.refused
