"""Rank ways to hand over a week: two-way swaps, three-way swaps and take-overs. See "Swaps" in docs/rules.md."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scheduling.domain.responder_chain import Availability
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import Move, Week

TWO_WAY, THREE_WAY, ONE_WAY = "two_way", "three_way", "one_way"
# Weights of the score, which add up to 100. FREE ranks engineers who are free above those who are partly away.
FREE, PRESENCE, KIND, SPACING, EVENNESS, OWN_HOLIDAYS, NEARNESS = 40, 30, 20, 8, 1, 0.7, 0.3
KIND_WEIGHT = {TWO_WAY: 1.0, THREE_WAY: 0.5, ONE_WAY: 0.0}
WIDEST_GAP = 8
SAME_TAKER_AT_MOST = 3
HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A way to hand over a week: its moves (that week first), a score from 0 to 100, and reasons in words."""

    kind: str
    moves: tuple[Move, ...]
    score: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterFacts:
    """Names, time zones and public holidays of the engineers, and the candidates for a swap."""

    candidates: Collection[int]
    names: Mapping[int, str]
    zones: Mapping[int, dt.tzinfo]
    public_holidays: Mapping[int, frozenset[dt.date]]


def suggestions(
    week: Week, *, weeks: Sequence[Week], people: Availability, facts: RosterFacts, after: dt.datetime, limit: int = 10
) -> list[Suggestion]:
    """Return ways to hand over a week, best first.

    `weeks` are the current and upcoming weeks of one rotation; only weeks that start after `after` can move. A suggestion
    never gives a week to an inactive engineer or to one who is away for all of it, and it must reduce the hours in which
    the engineer of a week is away. At most three suggestions start with the same taker.
    """
    board = _Board(week, weeks=weeks, people=people, facts=facts, after=after)
    ranked = sorted(board.options(), key=lambda one: (-one[0], one[1]))
    taken: Counter[int] = Counter()
    found: list[Suggestion] = []
    for score, moves in ranked:
        if taken[moves[0].taker] < SAME_TAKER_AT_MOST and len(found) < limit:
            taken[moves[0].taker] += 1
            found.append(Suggestion(_kind(moves), moves, round(score, 2), tuple(board.reasons(moves))))
    return found


def _kind(moves: tuple[Move, ...]) -> str:
    return (ONE_WAY, TWO_WAY, THREE_WAY)[len(moves) - 1]


class _Board:
    """The weeks of a rotation around the one to hand over, indexed and cached to score many moves."""

    def __init__(
        self, week: Week, *, weeks: Sequence[Week], people: Availability, facts: RosterFacts, after: dt.datetime
    ) -> None:
        ordered = sorted(weeks, key=lambda one: one.starts_on)
        self.week, self.people, self.facts = week, people, facts
        self.weeks = {one.starts_on: one for one in ordered}
        self.place = {one.starts_on: place for place, one in enumerate(ordered)}
        self.movable = [one for one in ordered if one.starts_at > after and one.starts_on != week.starts_on]
        self.turns: dict[int, list[int]] = {}
        for place, one in enumerate(ordered):
            self.turns.setdefault(one.engineer, []).append(place)
        self.candidates = [
            key for key in sorted(facts.candidates) if key not in people.inactive and key != week.engineer
        ]
        self._away: dict[tuple[int, dt.date], float] = {}

    def away(self, engineer: int, day: dt.date) -> float:
        """Return the hours of a week in which an engineer is unavailable."""
        known = self._away.get((engineer, day))
        if known is None:
            known = self._away[engineer, day] = self._hours_away(engineer, self.weeks[day])
        return known

    def _hours_away(self, engineer: int, week: Week) -> float:
        spans = sorted(
            (max(one.starts_at, week.starts_at), min(one.ends_at, week.ends_at))
            for one in self.people.absences.get(engineer, ())
            if one.starts_at < week.ends_at and one.ends_at > week.starts_at
        )
        total, until = dt.timedelta(), week.starts_at
        for begin, end in spans:
            total += max(end - max(begin, until), dt.timedelta())
            until = max(until, end)
        return total / HOUR

    def whole(self, engineer: int, day: dt.date) -> bool:
        """Tell whether an engineer is away for all of a week."""
        week = self.weeks[day]
        return self.away(engineer, day) >= (week.ends_at - week.starts_at) / HOUR

    def options(self) -> Iterator[tuple[float, tuple[Move, ...]]]:
        """Yield every exchange worth suggesting, with its score."""
        for moves in (*self._one_way(), *self._two_way(), *self._three_way()):
            hours = sum(self.away(move.taker, move.week) for move in moves)
            before = sum(self.away(move.giver, move.week) for move in moves)
            if (hours == 0 or hours < before) and not any(self.whole(move.taker, move.week) for move in moves):
                yield self.score(moves, hours=hours), moves

    def _one_way(self) -> Iterator[tuple[Move, ...]]:
        for taker in self.candidates:
            yield (Move(self.week.starts_on, self.week.engineer, taker),)

    def _two_way(self) -> Iterator[tuple[Move, ...]]:
        known = set(self.candidates) if self.week.engineer not in self.people.inactive else set()
        for other in self.movable:
            if other.engineer in known:
                yield (
                    Move(self.week.starts_on, self.week.engineer, other.engineer),
                    Move(other.starts_on, other.engineer, self.week.engineer),
                )

    def _three_way(self) -> Iterator[tuple[Move, ...]]:
        """Yield three-way swaps in which everybody is free in the week they take."""
        mine, wanted, known = self.week.engineer, self.week.starts_on, set(self.candidates)
        if mine in self.people.inactive:
            return
        seconds = [one for one in self.movable if one.engineer in known and not self.away(one.engineer, wanted)]
        thirds = [one for one in self.movable if one.engineer in known and not self.away(mine, one.starts_on)]
        for second in seconds:
            for third in thirds:
                if second.engineer != third.engineer and not self.away(third.engineer, second.starts_on):
                    yield (
                        Move(wanted, mine, second.engineer),
                        Move(second.starts_on, second.engineer, third.engineer),
                        Move(third.starts_on, third.engineer, mine),
                    )

    def score(self, moves: tuple[Move, ...], *, hours: float) -> float:
        """Return the score of a suggestion, from 0 to 100.

        It favors free over partly away engineers, then two-way swaps, then spacing, even counts, few public holidays and
        nearby weeks.
        """
        total = 168 * len(moves)
        gap = min(self.gap(move.taker, moves) for move in moves)
        own = sum(len(self.holidays(move.taker, move.week)) for move in moves)
        far = max(abs(self.place[move.week] - self.place[self.week.starts_on]) for move in moves)
        return (
            FREE * (hours == 0)
            + PRESENCE * (1 - min(hours / total, 1))
            + KIND * KIND_WEIGHT[_kind(moves)]
            + SPACING * gap / WIDEST_GAP
            + EVENNESS / (1 + self._spread(moves))
            + OWN_HOLIDAYS / (1 + own)
            + NEARNESS / (1 + far)
        )

    def gap(self, engineer: int, moves: Sequence[Move] = ()) -> int:
        """Return the fewest weeks between two shifts of an engineer after these moves, capped at `WIDEST_GAP`."""
        turns = self.turns.get(engineer, [])
        given = {self.place[move.week] for move in moves if move.giver == engineer}
        taken = [self.place[move.week] for move in moves if move.taker == engineer]
        after = sorted([*(turn for turn in turns if turn not in given), *taken])
        return min((WIDEST_GAP, *(later - sooner for sooner, later in pairwise(after))))

    def _spread(self, moves: tuple[Move, ...]) -> int:
        if len(moves) > 1:
            return 0
        counts = {key: len(self.turns.get(key, ())) for key in (*self.candidates, self.week.engineer)}
        counts[moves[0].giver] -= 1
        counts[moves[0].taker] += 1
        return max(counts.values()) - min(counts.values())

    def holidays(self, engineer: int, day: dt.date) -> list[dt.date]:
        """Return an engineer's public holidays on the days of a week at whose local noon they would be on call."""
        begin = self.weeks[day].starts_at.astimezone(self.facts.zones.get(engineer, dt.UTC))
        first = begin.date() if begin.hour < 12 else begin.date() + DAY
        own = self.facts.public_holidays.get(engineer, frozenset())
        return [first + DAY * number for number in range(7) if first + DAY * number in own]

    def reasons(self, moves: tuple[Move, ...]) -> Iterator[str]:
        """Yield sentences on how the moves affect availability, spacing and balance."""
        name = self.facts.names
        partly = [move for move in moves if self.away(move.taker, move.week)]
        for move in partly:
            away = _hours_in_words(self.away(move.taker, move.week))
            yield f"{name[move.taker]} is away {away} of the week of {format_day(move.week)}."
        if not partly:
            yield (
                f"{name[moves[0].taker]} is free all week."
                if len(moves) == 1
                else "Everybody is free in the week they take."
            )
        yield from self._spacing(moves)
        if len(moves) == 1:
            count = len(self.turns.get(moves[0].taker, ())) + 1
            yield f"{name[moves[0].taker]} takes one week more ({count} of the coming {len(self.weeks)}), {name[moves[0].giver]} one less."
        else:
            yield "Nobody’s number of weeks changes."
        for move in moves:
            own = self.holidays(move.taker, move.week)
            if own:
                days = ", ".join(f"{day.day} {day:%b}" for day in own)
                yield f"{name[move.taker]} is then on call on {len(own)} public holiday{'s' if len(own) > 1 else ''} ({days})."

    def _spacing(self, moves: tuple[Move, ...]) -> Iterator[str]:
        said = False
        for move in moves:
            before, after = self.gap(move.taker), self.gap(move.taker, moves)
            if after < before:
                said = True
                name = self.facts.names[move.taker]
                yield (
                    f"{name} has two weeks in a row."
                    if after == 1
                    else f"{name}’s turns come {after} weeks apart at the closest, {before} so far."
                )
        if not said:
            yield "Turns stay as far apart as they are."


def _hours_in_words(hours: float) -> str:
    if hours < 48:
        return f"{round(hours)} hour{'s' if round(hours) != 1 else ''}"
    return f"{round(hours / 24)} days"
