"""Random small schedules, and their chains computed as plainly as possible."""

import datetime as dt

from scheduling.domain.responder_chain import Absence, Availability, Cover, RotationSchedule
from scheduling.domain.weeks import Hours, RosterVersion, planned_weeks
from tests.scheduling.domain import cast

MONDAY = dt.date(2026, 1, 5)
START = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEEKS = 5


def random_schedule(random):
    """Return a schedule of up to six engineers and five weeks, with its parts for the oracle."""
    engineers = cast.engineers(*range(1, max(random.randint(2, 6), 3)))
    rosters = [RosterVersion(MONDAY, tuple(random.sample(engineers, random.randint(1, len(engineers)))))]
    if random.random() < 0.4:
        starts_on = MONDAY + dt.timedelta(weeks=random.randint(1, 3))
        rosters.append(RosterVersion(starts_on, tuple(random.sample(engineers, random.randint(1, len(engineers))))))
    hours = Hours("UTC", 0, dt.time(10))
    weeks = list(planned_weeks(hours, rosters=rosters, first=MONDAY, until=MONDAY + dt.timedelta(weeks=WEEKS)))
    absences = []
    for _ in range(random.randint(0, 6)):
        begin = START + HOUR * random.randint(-50, WEEKS * 168)
        absences.append(
            Absence(random.choice(engineers), begin, begin + HOUR * random.randint(1, 300), f"away {len(absences)}")
        )
    covers, free_from = [], 0
    while random.random() < 0.6 and free_from < WEEKS * 168 - 10:
        begin = random.randint(free_from, min(free_from + 200, WEEKS * 168 - 2))
        end = begin + random.randint(1, 120)
        one, other = random.sample(engineers, 2)
        covers.append(Cover(one, other, START + HOUR * begin, START + HOUR * end))
        free_from = end
    active = frozenset(engineer for engineer in engineers if random.random() < 0.9)
    owners = tuple(random.sample(engineers, 2))
    schedule = RotationSchedule(
        availability=Availability(inactive=frozenset(engineers) - active, absences=absences),
        weeks=weeks,
        covers=covers,
        rosters=rosters,
    )
    return schedule, {
        "weeks": weeks,
        "covers": covers,
        "absences": absences,
        "rosters": rosters,
        "active": active,
        "owners": owners,
    }


def reason(parts, engineer, at):
    if engineer not in parts["active"]:
        return "no longer active"
    here = [one for one in parts["absences"] if one.engineer == engineer and one.starts_at <= at < one.ends_at]
    # Of several absences, the one that ends last gives the reason; of those, the one that started first.
    here.sort(key=lambda one: (-one.ends_at.timestamp(), one.starts_at, one.reason))
    return here[0].reason if here else ""


def links(parts, at):
    """Return the chain as (engineer, role, reason) tuples."""
    order = []
    for week in parts["weeks"]:
        if week.starts_at <= at < week.ends_at:
            holder = week.engineer
            for cover in parts["covers"]:
                if cover.starts_at <= at < cover.ends_at:
                    holder = cover.engineer
            order.append((holder, "on_call"))
    order += [(parts["owners"][0], "primary_owner"), (parts["owners"][1], "secondary_owner")]
    for week in parts["weeks"]:
        if week.starts_at <= at < week.ends_at:
            roster = ()
            for version in parts["rosters"]:
                if version.starts_on <= week.starts_on:
                    roster = version.engineers
            turn = roster.index(week.engineer)
            for step in range(1, len(roster) + 1):
                order.append((roster[(turn + step) % len(roster)], "rotation"))
    seen, chain = set(), []
    for engineer, role in order:
        if engineer not in seen:
            seen.add(engineer)
            chain.append((engineer, role, reason(parts, engineer, at)))
    return chain


def next_change(parts, at):
    """Return the first whole hour after `at` at which the chain differs, looking at every hour, or None."""
    now = links(parts, at)
    for step in range(1, WEEKS * 168 + 400):
        later = at + HOUR * step
        if links(parts, later) != now:
            return later
    return None
