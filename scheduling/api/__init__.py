"""The API's calls about the schedule, a file for each noun."""

from scheduling.api.asking import AT
from scheduling.api.covers import CoverViewSet
from scheduling.api.engineers import EngineerViewSet
from scheduling.api.holidays import HolidayViewSet
from scheduling.api.links import calendar_link
from scheduling.api.rotations import OnCallViewSet, RotationViewSet
from scheduling.api.swaps import SwapViewSet

__all__ = [
    "AT",
    "CoverViewSet",
    "EngineerViewSet",
    "HolidayViewSet",
    "OnCallViewSet",
    "RotationViewSet",
    "SwapViewSet",
    "calendar_link",
]
