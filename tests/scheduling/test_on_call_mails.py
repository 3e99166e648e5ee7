"""Promise 31: everyone who goes on or off call is notified, and no one else. An oracle compares the messages with random histories.

The oracle reads who is on call from the tables: the engineer of the cover at an instant, or else of the week. Messages are
"delivered" as delivery does it: when they are due, if they are still relevant then.
"""

import datetime as dt
import random
from collections import Counter

from django.db import connection, transaction

from common.exceptions import DomainError
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from people.models import User
from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday
from scheduling.services.offboarding import deactivate, reassign_inactive
from scheduling.services.reminders import notify_shift_changes, notify_time_off_conflicts
from scheduling.services.rosters import change_roster, set_roster
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import ensure_weeks, update_hours
from tests.factories import make_engineer, make_pipeline

NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
# `make faults` checks a thousand histories.
HISTORIES = 2
STEPS = 12
KINDS = {"cover": 35, "end_cover": 15, "swap": 10, "absence": 15, "end_absence": 5, "roster": 5, "hours": 5, "leave": 6}
# The engineer of the cover at each instant, or else of the week.
ON_CALL_SQL = """
SELECT instant.at, coalesce(cover.engineer_id, week.engineer_id)
  FROM unnest(%(instants)s::timestamptz[]) AS instant(at)
  JOIN scheduling_rotationweek week
    ON week.rotation_id = %(rotation)s AND week.starts_at <= instant.at AND week.ends_at > instant.at
  LEFT JOIN scheduling_cover cover
    ON cover.rotation_id = week.rotation_id AND cover.starts_at <= instant.at AND cover.ends_at > instant.at
"""
TYPES = ("shift-started", "shift-ended")


class UndoHistory(Exception):  # noqa: N818  # it ends a history, nothing went wrong
    """Roll back a history."""


class History:
    """Random changes of one rotation, the on-call history they made, and the messages that were delivered."""

    def __init__(self, rotation, *, admin, seed):
        self.rotation, self.admin, self.source = rotation, admin, random.Random(seed)
        self.people = list(User.objects.filter(is_active=True).exclude(pk=admin.pk).order_by("pk"))
        self.at = NOW
        self.on_call = self.engineer_at(NOW)
        self.expected, self.delivered = Counter(), Counter()
        self.on_call_since = self.at
        self.log, self.changes = [], Counter()

    # What happens

    def cover(self):
        starts_at = self.at + HOUR * self.source.choice([0, 0, 1, 5, 30, 100])
        span = CoverData(self.source.choice(self.people), starts_at, starts_at + HOUR * self.source.randint(1, 60))
        create_cover(self.rotation, data=span, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def end_cover(self):
        covers = list(Cover.objects.filter(ends_at__gt=self.at))
        if covers:
            end_cover(self.source.choice(covers), by=self.admin, at=self.at)

    def swap(self):
        weeks = RotationWeek.objects.filter(starts_at__gt=self.at).order_by("starts_on")
        one, two = self.source.sample(list(weeks.values_list("starts_on", flat=True)[:4]), 2)
        proposal = SwapProposal(one, two, acknowledge_conflicts=True)
        swap = request_swap(self.rotation, proposal=proposal, by=self.admin, at=self.at)
        accept_swap(swap, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def absence(self):
        first = self.at.date() + DAY * self.source.choice([0, 0, 1, 5, 20])
        dates = HolidayData(
            first, first + DAY * self.source.randint(0, 9), kind=self.source.choice(["sick", "holiday"])
        )
        create_holiday(self.source.choice(self.people), data=dates, by=self.admin)

    def end_absence(self):
        blocks = list(HolidayBlock.objects.filter(ends_at__gt=self.at))
        if blocks:
            delete_holiday(self.source.choice(blocks), by=self.admin)

    def roster(self):
        weeks = RotationWeek.objects.filter(starts_at__gt=self.at).order_by("starts_on")
        people = self.source.sample(self.people, self.source.randint(2, len(self.people)))
        week = self.source.choice(list(weeks[:3]))
        change_roster(self.rotation, engineers=people, starts_on=week.starts_on, by=self.admin, at=self.at)

    def hours(self):
        zone = self.source.choice(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"])
        hour = dt.time(self.source.randint(0, 23), self.source.choice([0, 30]))
        update_hours(self.rotation, at=self.at, time_zone=zone, handoff_time=hour)

    def leave(self):
        if len(self.people) > 3:
            leaver = self.source.choice(self.people)
            deactivate(leaver, by=self.admin, at=self.at)
            self.people.remove(leaver)

    # What the tables say

    def engineers_at(self, instants):
        """Return who is on call at each of these instants; instants without a week are left out."""
        with connection.cursor() as cursor:
            cursor.execute(ON_CALL_SQL, {"instants": instants, "rotation": self.rotation.pk})
            return dict(cursor.fetchall())

    def engineer_at(self, at):
        return self.engineers_at([at]).get(at)

    def next_change(self, until):
        """Return the next instant up to `until` at which a week or a cover starts or ends."""
        edges = [
            instant
            for model in (RotationWeek, Cover)
            for row in model.objects.filter(ends_at__gt=self.at, starts_at__lte=until).values_list(
                "starts_at", "ends_at"
            )
            for instant in row
        ]
        return min((instant for instant in edges if self.at < instant <= until), default=until)

    # Time passes

    def run(self):
        self.look()
        for _ in range(STEPS):
            until = self.at + HOUR / 2 * self.source.randint(1, 160)
            while self.at < until:
                later = self.next_change(until)
                if self.source.random() < 0.5:
                    # The sweep has looked ahead.
                    notify_shift_changes(at=max(self.at, later - HOUR))
                self.at = later
                self.look()
            # Nothing is changed in the instant in which a shift or cover starts: those who go on call have had their message.
            self.at += MINUTE
            for _ in range(self.source.randint(1, 3)):
                self.change()
            self.look()
            self.check_conflicts()

    def change(self):
        [name] = self.source.choices(list(KINDS), weights=KINDS.values())
        try:
            with transaction.atomic():
                getattr(self, name)()
        except DomainError:
            return
        ensure_weeks(self.rotation, today=self.at.date())
        self.changes[name] += 1
        self.log.append(f"{self.at:%d %b %H:%M} {name}")

    def look(self):
        """Note who is on call now, and deliver what is due."""
        reassign_inactive(at=self.at)
        engineer = self.engineer_at(self.at)
        if engineer != self.on_call:
            active = set(User.objects.filter(is_active=True).values_list("pk", flat=True))
            self.expected[("shift-started", engineer, self.at)] += 1
            # A shift that a cover takes over at the very instant it starts has no end to tell: the cover's mail says it.
            if self.on_call in active and self.on_call_since < self.at:
                self.expected[("shift-ended", self.on_call, self.at)] += 1
            self.log.append(f"{self.at:%d %b %H:%M} {self.on_call} → {engineer}")
            self.on_call, self.on_call_since = engineer, self.at
        notify_shift_changes(at=self.at)
        due = Message.objects.filter(type__in=TYPES, state="pending", due_at__lte=self.at).select_related("recipient")
        for message in due:
            relevant = is_still_relevant(message, at=self.at)
            if relevant:
                self.delivered[(message.type, message.recipient_id, self.at)] += 1
            Message.objects.filter(pk=message.pk).update(state="dropped")

    def check_conflicts(self):
        """Assert that everyone who is away while on call in the coming weeks has a message about it."""
        notify_time_off_conflicts(at=self.at)
        instants = [self.at + DAY * number for number in range(10)]
        notified = set(
            Message.objects.filter(type="time-off-conflict").values_list("recipient_id", "context__absence_id")
        )
        blocks = list(HolidayBlock.objects.filter(starts_at__lte=instants[-1], ends_at__gt=self.at))
        active = {person.pk for person in self.people}
        for instant, engineer in self.engineers_at(instants).items():
            for block in blocks:
                if block.engineer_id == engineer in active and block.starts_at <= instant < block.ends_at:
                    assert (engineer, block.pk) in notified, "\n".join(self.log)

    def check(self):
        assert self.delivered == self.expected, "\n".join(
            [*self.log, f"missing: {self.expected - self.delivered}", f"extra: {self.delivered - self.expected}"]
        )
        return sum(self.expected.values())


def make_rotation():
    """Return an admin and a rotation of five engineers with a pipeline."""
    people = [make_engineer(f"Engineer {letter}") for letter in "VWXYZ"]
    admin = make_engineer("Chief", is_staff=True)
    make_pipeline("Growth", primary=people[0], secondary=people[1])
    rotation = Rotation.objects.create(slug="oracle", name="Oracle", time_zone="UTC", handoff_time=dt.time(10))
    set_roster(rotation, engineers=people, starts_on=dt.date(2026, 11, 23), at=NOW)
    return admin, Rotation.objects.get(pk=rotation.pk)


def check_histories(seeds):
    """Check random histories, which have changes of every kind; return how many messages they had."""
    admin, rotation = make_rotation()
    count, changes = 0, Counter()
    for seed in seeds:
        try:
            with transaction.atomic():
                history = History(rotation, admin=admin, seed=seed)
                history.run()
                count += history.check()
                changes += history.changes
                raise UndoHistory
        except UndoHistory:
            rotation.refresh_from_db()
    assert set(changes) == set(KINDS)
    return f"{len(seeds)} histories, {count:,} messages: all sent, no other"


def test_who_goes_on_and_off_call_is_notified_and_no_one_else(db):
    check_histories(range(HISTORIES))
