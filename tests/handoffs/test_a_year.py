"""A random year of swaps, holidays, covers, rosters, hours and moved meetings: every invitation and feed is one that libical accepts
and ical.js reads as the site holds it, and the calendars of all who are invited show the meetings they take part in, at every moment.

The suite looks at every 45th day. With STEP_DAYS=6, which `make faults` sets, the test looks at every sixth.
"""

import datetime as dt
import os
import random
from itertools import pairwise

from calendar_feeds.services import create_feed, sync_feeds
from common.exceptions import DomainError
from handoffs.models import Handoff
from handoffs.services.meetings import move_meeting, sync_handoffs
from notifications.queries.outbox import is_still_relevant
from people.models import User
from scheduling.models import HolidayBlock, RotationWeek
from scheduling.queries.weeks import weeks_between
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import ensure_weeks, update_hours
from tests.factories import make_engineer
from tests.handoffs.client import Client
from tests.handoffs.conftest import MEETING_TYPES, NOW
from tests.handoffs.libical import complaints
from tests.handoffs.reading import Mailbox, read

STEP_DAYS = int(os.environ.get("STEP_DAYS", "45"))
DAY, HOUR, MINUTE, WEEK = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(weeks=1)


class Year:
    """What may happen to one rotation, at random, as an admin does it."""

    def __init__(self, rotation, *, admin, seed):
        self.rotation, self.admin, self.source = rotation, admin, random.Random(seed)
        self.people = list(User.objects.filter(is_active=True).exclude(pk=admin.pk).order_by("pk"))
        self.done = 0

    def something(self, at):
        do = self.source.choices(
            (self.swap, self.block, self.unblock, self.cover, self.move, self.roster, self.hours),
            weights=(30, 15, 10, 10, 25, 4, 2),
        )[0]
        try:
            do(at)
        except DomainError:
            return
        self.done += 1

    def swap(self, at):
        rows = RotationWeek.objects.filter(rotation=self.rotation, starts_at__gt=at).order_by("starts_on")
        one, two = self.source.sample(list(rows.values_list("starts_on", flat=True)[:8]), 2)
        asked = SwapProposal(one, two, acknowledge_conflicts=True)
        created = request_swap(self.rotation, proposal=asked, by=self.admin, at=at)
        accept_swap(created, by=self.admin, at=at, acknowledge_conflicts=True)

    def block(self, at):
        first = at.date() + DAY * self.source.randint(0, 60)
        dates = HolidayData(first, first + DAY * self.source.randint(0, 9), note="private")
        create_holiday(self.source.choice(self.people), data=dates, by=self.admin)

    def unblock(self, at):
        rows = list(HolidayBlock.objects.filter(starts_at__gt=at))
        if rows:
            delete_holiday(self.source.choice(rows), by=self.admin)

    def cover(self, at):
        begin = at + HOUR * self.source.randint(1, 500)
        span = CoverData(
            self.source.choice(self.people), begin, begin + HOUR * self.source.randint(1, 40), "a reason, or; two"
        )
        create_cover(self.rotation, data=span, by=self.admin, at=at, acknowledge_conflicts=True)

    def move(self, at):
        rows = list(Handoff.objects.not_cancelled().filter(at__gt=at).order_by("at")[:6])
        if not rows:
            return
        row = self.source.choice(rows)
        starts_at = row.at + HOUR * self.source.randint(-100, 100)
        length = MINUTE * self.source.choice([20, 25, 30])
        move_meeting(row, by=self.admin, at=at, starts_at=starts_at, ends_at=starts_at + length)

    def roster(self, at):
        rows = RotationWeek.objects.filter(rotation=self.rotation, starts_at__gt=at).order_by("starts_on")
        week = self.source.choice(list(rows[:6]))
        people = self.source.sample(self.people, self.source.randint(2, len(self.people)))
        change_roster(self.rotation, engineers=people, starts_on=week.starts_on, by=self.admin, at=at)

    def hours(self, at):
        zone = self.source.choice(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
        hour = dt.time(self.source.randint(0, 23), self.source.choice([0, 30]))
        update_hours(self.rotation, at=at, time_zone=zone, handoff_time=hour)


def check_a_year(rotation, *, admin, client, mails, seed, step):
    """Assert what the module says for a random year; return how much was done, mailed and fetched, and how many events ical.js found."""
    make_engineer("Zoë “Ω” O’Neil; x, y", email="zoe@example.com")
    year = Year(rotation, admin=admin, seed=seed)
    boxes = {person.pk: Mailbox() for person in [*year.people, admin]}
    feeds = {person: f"/feeds/{create_feed(person, rotation=None, at=NOW).secret}.ics" for person in year.people}
    feeds[rotation] = f"/feeds/{create_feed(admin, rotation=rotation, at=NOW).secret}.ics"
    last, mailed, fetched, theirs = {}, 0, 0, Client()
    for day in range(0, 365, step):
        at = NOW + DAY * day + MINUTE * 7
        ensure_weeks(rotation, today=at.date())
        for _ in range(2):
            year.something(at)
            mailed += deliver(mails, boxes, theirs, at=at)
        sync_handoffs(at=at)
        assert sync_handoffs(at=at) == 0
        mailed += deliver(mails, boxes, theirs, at=at)
        check_calendars(boxes, at=at)
        check_handoffs(rotation, at=at)
        if day % (step * 5) == 0:
            sync_feeds(at=at)
            assert sync_feeds(at=at) == 0
            for owner, path in feeds.items():
                text = client.get(path).content.decode()
                theirs.fetched(text, owner)
                check_feed(text, last.setdefault(owner, {}))
                check_weeks(rotation, owner, text, at=at)
                fetched += 1
    return year.done, mailed, fetched, theirs.check()


def deliver(mails, boxes, theirs, *, at):
    rows = [row for row in mails(type__in=MEETING_TYPES) if is_still_relevant(row, at=at)]
    for row in rows:
        assert complaints(row.calendar) == []
        boxes[row.recipient_id].take(row.calendar)
        theirs.invited(row)
    return len(rows)


def check_calendars(boxes, *, at):
    """Assert that each calendar shows the coming meetings its owner takes part in: all near ones, and no other."""
    rows = list(Handoff.objects.not_cancelled().filter(meeting_ends_at__gt=at))
    for person, box in boxes.items():
        mine = {
            row.uid: (row.meeting_starts_at, row.meeting_ends_at)
            for row in rows
            if person in (row.outgoing_id, row.incoming_id)
        }
        coming = {uid: span for uid, span in box.events.items() if span[1] > at}
        assert coming.items() <= mine.items()
        near = {uid for uid, span in mine.items() if span[0] <= at + 5 * WEEK}
        assert near <= set(coming)


def check_handoffs(rotation, *, at):
    """Assert that the coming hand-offs are the changes of engineer between stored weeks."""
    weeks = list(rotation.weeks.filter(ends_at__gt=at).order_by("starts_at"))
    wanted = [
        (after.starts_at, before.engineer_id, after.engineer_id)
        for before, after in pairwise(weeks)
        if before.engineer_id != after.engineer_id
    ]
    rows = Handoff.objects.not_cancelled().filter(rotation=rotation, at__gt=at).order_by("at")
    assert list(rows.values_list("at", "outgoing", "incoming")) == wanted


def check_feed(text, before):
    """Assert that a feed is well made, and that its events changed as calendars expect: a new sequence where they say something new."""
    assert complaints(text) == []
    assert "private" not in text
    calendar, events = read(text)
    assert calendar.all("METHOD") == []
    for event in events:
        begin, end = event.span
        assert begin < end
        content = [
            (name, value) for name, _, value in event.lines if name not in ("SEQUENCE", "DTSTAMP", "LAST-MODIFIED")
        ]
        old = before.get(event["UID"])
        if old is not None:
            assert (int(event["SEQUENCE"]) > old[0]) == (content != old[1])
        before[event["UID"]] = (int(event["SEQUENCE"]), content)


def check_weeks(rotation, owner, text, *, at):
    """Assert that a feed's weeks are those that are held, over all of its year."""
    weeks = weeks_between(rotation, first=at.date(), last=(at + 360 * DAY).date())
    wanted = {(week.starts_at, week.ends_at) for week in weeks if owner in (rotation, User(pk=week.engineer.id))}
    shown = {
        event.span for event in read(text)[1] if event["UID"].startswith("week-") and event["STATUS"] == "CONFIRMED"
    }
    assert wanted == {span for span in shown if weeks and weeks[0].starts_at <= span[0] <= weeks[-1].starts_at}


def test_every_calendar_of_a_random_year_is_accepted_and_right(rotation, admin, client, mails):
    done, mailed, fetched, events = check_a_year(
        rotation, admin=admin, client=client, mails=mails, seed=2026, step=STEP_DAYS
    )
    days = len(range(0, 365, STEP_DAYS))
    assert done > days
    assert mailed > days
    assert fetched > days
    assert events > 50 * days
