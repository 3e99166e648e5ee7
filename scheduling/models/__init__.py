"""Tables of the schedule, a file for each noun."""

from scheduling.models.absences import CalendarLink, HolidayBlock
from scheduling.models.changes import Cover, SwapQuerySet, SwapRequest
from scheduling.models.rotations import (
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
    UncoveredMoment,
)

__all__ = [
    "CalendarLink",
    "Cover",
    "HolidayBlock",
    "PipelineRotation",
    "Roster",
    "RosterMember",
    "Rotation",
    "RotationWeek",
    "SwapQuerySet",
    "SwapRequest",
    "UncoveredMoment",
]
