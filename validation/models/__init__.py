"""Validation models: data sources, metrics, checks and their results, one module per topic."""

from validation.models.checks import (
    Check,
    CheckQuerySet,
    CheckResult,
    DetectorState,
    Holidays,
    PendingReevaluation,
    Severity,
)
from validation.models.external import (
    TOOLS,
    ExternalCheck,
    ExternalCheckQuerySet,
    ExternalFinding,
    ImportedFile,
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
    "TOOLS",
    "Check",
    "CheckQuerySet",
    "CheckResult",
    "DataSource",
    "DetectorState",
    "ExternalCheck",
    "ExternalCheckQuerySet",
    "ExternalFinding",
    "Grain",
    "Holidays",
    "ImportedFile",
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
