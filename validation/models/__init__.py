"""Tables of validation: where numbers come from, what judges them, and what was said, a file for each noun."""

from validation.models.checks import (
    Check,
    CheckQuerySet,
    CheckResult,
    CheckType,
    Holidays,
    PendingReevaluation,
    Severity,
)
from validation.models.external import (
    OUTCOMES,
    TOOLS,
    ExternalCheck,
    ExternalCheckQuerySet,
    ExternalFinding,
    MappingRule,
)
from validation.models.metrics import (
    DataSource,
    Grain,
    KnownEvent,
    Metric,
    MetricKind,
    MetricPoint,
    MetricPointRevision,
    ReportedRun,
)

__all__ = [
    "OUTCOMES",
    "TOOLS",
    "Check",
    "CheckQuerySet",
    "CheckResult",
    "CheckType",
    "DataSource",
    "ExternalCheck",
    "ExternalCheckQuerySet",
    "ExternalFinding",
    "Grain",
    "Holidays",
    "KnownEvent",
    "MappingRule",
    "Metric",
    "MetricKind",
    "MetricPoint",
    "MetricPointRevision",
    "PendingReevaluation",
    "ReportedRun",
    "Severity",
]
