"""Every change of state about the schedule, a file for each noun."""

from scheduling.commands.covers import Span, end_cover, take_cover
from scheduling.commands.gaps import keep_gaps
from scheduling.commands.holidays import Dates, block_holiday, block_of, change_holiday, remove_holiday
from scheduling.commands.leavers import bring_back, deactivate, release_inactive
from scheduling.commands.links import claim_link, link_calendar, read_link, unlink_calendar
from scheduling.commands.plans import apply_moves
from scheduling.commands.rosters import change_roster, follow_roster, set_roster
from scheduling.commands.rotations import RotationText, change_rotation_text, create_rotation, join_rotation
from scheduling.commands.swaps import Asked, accept_swap, cancel_swap, decline_swap, expire_swaps, request_swap
from scheduling.commands.telling import tell_of_holidays, tell_of_weeks
from scheduling.commands.weeks import KEPT_AHEAD, change_hours, keep_weeks

__all__ = [
    "KEPT_AHEAD",
    "Asked",
    "Dates",
    "RotationText",
    "Span",
    "accept_swap",
    "apply_moves",
    "block_holiday",
    "block_of",
    "bring_back",
    "cancel_swap",
    "change_holiday",
    "change_hours",
    "change_roster",
    "change_rotation_text",
    "claim_link",
    "create_rotation",
    "deactivate",
    "decline_swap",
    "end_cover",
    "expire_swaps",
    "follow_roster",
    "join_rotation",
    "keep_gaps",
    "keep_weeks",
    "link_calendar",
    "read_link",
    "release_inactive",
    "remove_holiday",
    "request_swap",
    "set_roster",
    "take_cover",
    "tell_of_holidays",
    "tell_of_weeks",
    "unlink_calendar",
]
