"""Reads about the schedule, a file for each noun."""

from scheduling.queries.answers import (
    Held,
    Outlook,
    Turn,
    answers,
    held_between,
    in_doubt,
    outlook,
    timeline_of,
    turns,
)
from scheduling.queries.effects import Effects, Hit, effects_of
from scheduling.queries.fairness import Fairness, fairness_of
from scheduling.queries.gaps import gaps, uncovered_ahead
from scheduling.queries.holidays import holidays_between, holidays_in_rotation, holidays_of
from scheduling.queries.links import link_of, links_due
from scheduling.queries.rosters import RosterChange, engineers_of, newest_roster, roster_change
from scheduling.queries.suggestions import coming_world, plan_for, suggestions_for, suggestions_in
from scheduling.queries.swaps import (
    MoveShown,
    MySwaps,
    all_swaps,
    moves_shown,
    swaps_for,
    swaps_naming,
    waits_for,
    weeks_to_swap,
)
from scheduling.queries.weeks import (
    ComingTurns,
    coming_turns,
    coming_weeks,
    rotations_for,
    rotations_short_of,
    rotations_with,
    weeks_between,
    weeks_held,
)

__all__ = [
    "ComingTurns",
    "Effects",
    "Fairness",
    "Held",
    "Hit",
    "MoveShown",
    "MySwaps",
    "Outlook",
    "RosterChange",
    "Turn",
    "all_swaps",
    "answers",
    "coming_turns",
    "coming_weeks",
    "coming_world",
    "effects_of",
    "engineers_of",
    "fairness_of",
    "gaps",
    "held_between",
    "holidays_between",
    "holidays_in_rotation",
    "holidays_of",
    "in_doubt",
    "link_of",
    "links_due",
    "moves_shown",
    "newest_roster",
    "outlook",
    "plan_for",
    "roster_change",
    "rotations_for",
    "rotations_short_of",
    "rotations_with",
    "suggestions_for",
    "suggestions_in",
    "swaps_for",
    "swaps_naming",
    "timeline_of",
    "turns",
    "uncovered_ahead",
    "waits_for",
    "weeks_between",
    "weeks_held",
    "weeks_to_swap",
]
