"""Models of the schedule."""

from scheduling.models.absences import CalendarLink, HolidayBlock
from scheduling.models.changes import Cover, SwapQuerySet, SwapRequest
from scheduling.models.cover_requests import CoverRequest
from scheduling.models.requests import RequestQuerySet
from scheduling.models.rotations import (
    MAX_DESCRIPTION_LENGTH,
    CoverageGap,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
)

__all__ = [
    "MAX_DESCRIPTION_LENGTH",
    "CalendarLink",
    "Cover",
    "CoverRequest",
    "CoverageGap",
    "HolidayBlock",
    "PipelineRotation",
    "RequestQuerySet",
    "Roster",
    "RosterMember",
    "Rotation",
    "RotationWeek",
    "SwapQuerySet",
    "SwapRequest",
]
