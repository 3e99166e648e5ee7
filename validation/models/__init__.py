"""Tables of validation: where numbers come from, what judges them, and what was said, a file for each noun."""

from validation.models.checks import (
    Check,
    CheckQuerySet,
    CheckResult,
    CheckType,
    Holidays,
    Rejudgement,
    Severity,
)
from validation.models.external import (
    OUTCOMES,
    TOOLS,
    ExternalCheck,
    ExternalCheckQuerySet,
    ExternalFinding,
    ExternalRule,
)
from validation.models.metrics import (
    Grain,
    KnownEvent,
    Metric,
    MetricKind,
    MetricPoint,
    MetricPointRevision,
    ReportedRun,
    Source,
)

__all__ = [
    "OUTCOMES",
    "TOOLS",
    "Check",
    "CheckQuerySet",
    "CheckResult",
    "CheckType",
    "ExternalCheck",
    "ExternalCheckQuerySet",
    "ExternalFinding",
    "ExternalRule",
    "Grain",
    "Holidays",
    "KnownEvent",
    "Metric",
    "MetricKind",
    "MetricPoint",
    "MetricPointRevision",
    "Rejudgement",
    "ReportedRun",
    "Severity",
    "Source",
]
