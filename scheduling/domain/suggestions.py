"""Rank ways to hand over a week: two-way, three-way and one-way swaps. See "Swaps" in docs/rules.md."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.formatting import format_day
from people.domain.person import Person
from scheduling.domain.responder_chain import Availability
from scheduling.domain.weeks import Move, Week

TWO_WAY, THREE_WAY, ONE_WAY = "two_way", "three_way", "one_way"
# Weights of the score, which add up to 100. FREE ranks engineers who are free above those who are partly away.
FREE, PRESENCE, KIND, SPACING, EVENNESS, OWN_HOLIDAYS, NEARNESS = 40, 30, 20, 8, 1, 0.7, 0.3
KIND_WEIGHT = {TWO_WAY: 1.0, THREE_WAY: 0.5, ONE_WAY: 0.0}
MAX_GAP_WEEKS = 8
HOURS_A_WEEK = 168
DAYS_FROM_HOURS = 48
MAX_SAME_TAKER = 3
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
NOON_HOUR = 12


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way to hand over a week: its moves (that week first), a score from 0 to 100, and reasons in words."""

    kind: str
    moves: tuple[Move, ...]
    score: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """Time zones and public holidays of the engineers, and the candidates for a swap."""

    candidates: Collection[Person]
    zones: Mapping[Person, dt.tzinfo]
    public_holidays: Mapping[Person, frozenset[dt.date]]


def suggestions(
    week: Week,
    *,
    weeks: Sequence[Week],
    availability: Availability,
    facts: RosterFacts,
    after: dt.datetime,
    limit: int = 10,
) -> list[Suggestion]:
    """Return ways to hand over a week, best first.

    `weeks` are the current and upcoming weeks of one rotation; only weeks that start after `after` can move. A suggestion
    never gives a week to an inactive engineer or to one who is away for all of it, and it must reduce the hours in which
    the engineer of a week is away. At most three suggestions start with the same taker.
    """
    ranking = _Ranking(week, weeks=weeks, availability=availability, facts=facts, after=after)
    ranked = sorted(ranking.options(), key=lambda option: (-option[0], option[1]))
    by_taker: Counter[Person] = Counter()
    best: list[Suggestion] = []
    for score, moves in ranked:
        if by_taker[moves[0].taker] < MAX_SAME_TAKER and len(best) < limit:
            by_taker[moves[0].taker] += 1
            best.append(Suggestion(_kind(moves), moves, round(score, 2), tuple(ranking.reasons(moves))))
    return best


def _kind(moves: tuple[Move, ...]) -> str:
    return (ONE_WAY, TWO_WAY, THREE_WAY)[len(moves) - 1]


class _Ranking:
    """The weeks of a rotation around the one to hand over, indexed and cached to score many moves."""

    def __init__(
        self, week: Week, *, weeks: Sequence[Week], availability: Availability, facts: RosterFacts, after: dt.datetime
    ) -> None:
        ordered = sorted(weeks, key=lambda week: week.starts_on)
        self.week, self.availability, self.facts = week, availability, facts
        self.weeks = {week.starts_on: week for week in ordered}
        self.index = {week.starts_on: index for index, week in enumerate(ordered)}
        self.movable = [other for other in ordered if other.starts_at > after and other.starts_on != week.starts_on]
        self.indexes: dict[Person, list[int]] = {}
        for index, other in enumerate(ordered):
            self.indexes.setdefault(other.engineer, []).append(index)
        self.candidates = [
            person
            for person in sorted(facts.candidates)
            if person not in availability.inactive and person != week.engineer
        ]
        self._hours_away: dict[tuple[int, dt.date], float] = {}

    def hours_away(self, engineer: Person, day: dt.date) -> float:
        """Return the hours of a week in which an engineer is unavailable."""
        hours = self._hours_away.get((engineer.id, day))
        if hours is None:
            week = self.weeks[day]
            away = self.availability.all_away([engineer], starts_at=week.starts_at, ends_at=week.ends_at)
            hours = sum((end - begin for begin, end in away), dt.timedelta()) / HOUR
            self._hours_away[engineer.id, day] = hours
        return hours

    def is_away_all_week(self, engineer: Person, day: dt.date) -> bool:
        """Return True if an engineer is away for all of a week."""
        week = self.weeks[day]
        return self.hours_away(engineer, day) >= (week.ends_at - week.starts_at) / HOUR

    def options(self) -> Iterator[tuple[float, tuple[Move, ...]]]:
        """Yield every exchange worth suggesting, with its score."""
        for moves in (*self._one_way(), *self._two_way(), *self._three_way()):
            hours = sum(self.hours_away(move.taker, move.week) for move in moves)
            before = sum(self.hours_away(move.giver, move.week) for move in moves)
            improves = hours == 0 or hours < before
            if improves and not any(self.is_away_all_week(move.taker, move.week) for move in moves):
                yield self.score(moves, hours=hours), moves

    def _one_way(self) -> Iterator[tuple[Move, ...]]:
        for taker in self.candidates:
            yield (Move(self.week.starts_on, self.week.engineer, taker),)

    def _two_way(self) -> Iterator[tuple[Move, ...]]:
        if self.week.engineer in self.availability.inactive:
            return
        candidates = set(self.candidates)
        for other in self.movable:
            if other.engineer in candidates:
                yield (
                    Move(self.week.starts_on, self.week.engineer, other.engineer),
                    Move(other.starts_on, other.engineer, self.week.engineer),
                )

    def _three_way(self) -> Iterator[tuple[Move, ...]]:
        """Yield three-way swaps in which each engineer is available in the week they take."""
        giver, offered, candidates = self.week.engineer, self.week.starts_on, set(self.candidates)
        if giver in self.availability.inactive:
            return
        movable = [week for week in self.movable if week.engineer in candidates]
        seconds = [week for week in movable if not self.hours_away(week.engineer, offered)]
        thirds = [week for week in movable if not self.hours_away(giver, week.starts_on)]
        for second in seconds:
            for third in thirds:
                if second.engineer != third.engineer and not self.hours_away(third.engineer, second.starts_on):
                    yield (
                        Move(offered, giver, second.engineer),
                        Move(second.starts_on, second.engineer, third.engineer),
                        Move(third.starts_on, third.engineer, giver),
                    )

    def score(self, moves: tuple[Move, ...], *, hours: float) -> float:
        """Return the score of a suggestion, from 0 to 100.

        It favors free over partly away engineers, then two-way swaps, then spacing, even counts, few public holidays and
        nearby weeks.
        """
        total = HOURS_A_WEEK * len(moves)
        gap = min(self.gap(move.taker, moves) for move in moves)
        holidays = sum(len(self.holidays(move.taker, move.week)) for move in moves)
        distance = max(abs(self.index[move.week] - self.index[self.week.starts_on]) for move in moves)
        return (
            FREE * (hours == 0)
            + PRESENCE * (1 - min(hours / total, 1))
            + KIND * KIND_WEIGHT[_kind(moves)]
            + SPACING * gap / MAX_GAP_WEEKS
            + EVENNESS / (1 + self._spread(moves))
            + OWN_HOLIDAYS / (1 + holidays)
            + NEARNESS / (1 + distance)
        )

    def gap(self, engineer: Person, moves: Sequence[Move] = ()) -> int:
        """Return the fewest weeks between two shifts of an engineer after these moves, capped at `MAX_GAP_WEEKS`."""
        lost = {self.index[move.week] for move in moves if move.giver == engineer}
        gained = [self.index[move.week] for move in moves if move.taker == engineer]
        shifts = sorted([*(index for index in self.indexes.get(engineer, ()) if index not in lost), *gained])
        return min((MAX_GAP_WEEKS, *(later - sooner for sooner, later in pairwise(shifts))))

    def _spread(self, moves: tuple[Move, ...]) -> int:
        """Return the difference between the most and the fewest shifts of an engineer after a one-way swap, else 0."""
        if len(moves) > 1:
            return 0
        counts = {key: len(self.indexes.get(key, ())) for key in (*self.candidates, self.week.engineer)}
        counts[moves[0].giver] -= 1
        counts[moves[0].taker] += 1
        return max(counts.values()) - min(counts.values())

    def holidays(self, engineer: Person, day: dt.date) -> list[dt.date]:
        """Return an engineer's public holidays on the days of a week at whose local noon they would be on call."""
        begin = self.weeks[day].starts_at.astimezone(self.facts.zones.get(engineer, dt.UTC))
        first = begin.date() if begin.hour < NOON_HOUR else begin.date() + DAY
        public_holidays = self.facts.public_holidays.get(engineer, frozenset())
        return [date for date in (first + DAY * number for number in range(7)) if date in public_holidays]

    def reasons(self, moves: tuple[Move, ...]) -> Iterator[str]:
        """Yield sentences on how the moves affect availability, spacing and balance."""
        partly_away = [move for move in moves if self.hours_away(move.taker, move.week)]
        for move in partly_away:
            away = _format_hours(self.hours_away(move.taker, move.week))
            yield f"{move.taker} is away for {away} of the week of {format_day(move.week)}."
        if not partly_away:
            yield f"{moves[0].taker} is available all week." if len(moves) == 1 else "No conflicts."
        yield from self._spacing(moves)
        if len(moves) == 1:
            count = len(self.indexes.get(moves[0].taker, ())) + 1
            yield (
                f"{moves[0].taker} takes one more shift ({count} in the next {len(self.weeks)} weeks), "
                f"{moves[0].giver} one fewer."
            )
        else:
            yield "Shift totals unchanged."
        for move in moves:
            holidays = self.holidays(move.taker, move.week)
            if holidays:
                days = ", ".join(format_day(day, "short") for day in holidays)
                plural = "s" if len(holidays) > 1 else ""
                yield f"{move.taker} would be on call on {len(holidays)} public holiday{plural} ({days})."

    def _spacing(self, moves: tuple[Move, ...]) -> Iterator[str]:
        gaps = [(move.taker, self.gap(move.taker), self.gap(move.taker, moves)) for move in moves]
        closer = [(taker, before, after) for taker, before, after in gaps if after < before]
        for taker, before, after in closer:
            yield (
                f"{taker} would have two shifts in a row."
                if after == 1
                else f"{taker}’s shortest gap between shifts: {after} weeks (now {before})."
            )
        if not closer:
            yield "Spacing between shifts unchanged."


def _format_hours(hours: float) -> str:
    if hours < DAYS_FROM_HOURS:
        return f"{round(hours)} hour{'s' if round(hours) != 1 else ''}"
    return f"{round(hours / 24)} days"
