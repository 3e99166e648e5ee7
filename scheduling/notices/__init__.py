"""What people are told of the schedule, in words: a file for each noun, and the kinds of messages that they make."""

from notifications.kinds import Kind
from scheduling.notices.covers import tell_cover_ended, tell_cover_taken
from scheduling.notices.gaps import tell_uncovered, uncovered_still
from scheduling.notices.holidays import holiday_hits_still, tell_holiday_hits
from scheduling.notices.swaps import swap_accepted_still, swap_asked_still, tell_swap_asked, tell_swap_decided
from scheduling.notices.weeks import (
    WeekMoved,
    tell_week_begins,
    tell_week_ends,
    tell_weeks_changed,
    week_begins_still,
    week_ends_still,
)

__all__ = [
    "KINDS",
    "WeekMoved",
    "tell_cover_ended",
    "tell_cover_taken",
    "tell_holiday_hits",
    "tell_swap_asked",
    "tell_swap_decided",
    "tell_uncovered",
    "tell_week_begins",
    "tell_week_ends",
    "tell_weeks_changed",
]

KINDS = (
    Kind("swap-asked", "Somebody asks me for a swap", still_true=swap_asked_still),
    Kind("swap-accepted", "A swap is made", still_true=swap_accepted_still),
    Kind("swap-over", "A swap request is declined, withdrawn, expired or void"),
    Kind("weeks-changed", "My coming weeks changed"),
    Kind("week-begins", "My week begins", still_true=week_begins_still),
    Kind("week-ends", "My week ends", still_true=week_ends_still),
    Kind("cover", "A cover of mine is made or ends"),
    Kind("holiday-hits", "A holiday falls into an on-call week", still_true=holiday_hits_still),
    Kind("uncovered", "Nobody covers a pipeline in the coming weeks (admins)", still_true=uncovered_still),
    Kind("uncovered-now", "Nobody covers a pipeline within a day (admins)", urgent=True, still_true=uncovered_still),
)
