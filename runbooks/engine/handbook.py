"""The handbook file format (product.md §1): read it, write it, and keep a runbook's text as it keeps it."""

from runbooks.engine.handbook_parts import (
    LARGEST_HANDBOOK,
    Handbook,
    HandbookError,
    HandbookErrors,
    HandoffPart,
    HolidayPolicyPart,
    Passage,
    PipelineRow,
    RotationPart,
    RunbookPart,
    Section,
    Turn,
    after_runbook,
    full_name,
)
from runbooks.engine.handbook_reader import read_handbook
from runbooks.engine.handbook_runbooks import normalise_runbook, sections_of
from runbooks.engine.handbook_writer import write_handbook

__all__ = [
    "LARGEST_HANDBOOK",
    "Handbook",
    "HandbookError",
    "HandbookErrors",
    "HandoffPart",
    "HolidayPolicyPart",
    "Passage",
    "PipelineRow",
    "RotationPart",
    "RunbookPart",
    "Section",
    "Turn",
    "after_runbook",
    "full_name",
    "normalise_runbook",
    "read_handbook",
    "sections_of",
    "write_handbook",
]
