"""The API's calls about checks and their results, a file for each noun."""

from validation.api.checks import CheckViewSet, ResultViewSet
from validation.api.events import KnownEventViewSet, RunViewSet
from validation.api.external import ExternalCheckViewSet, integration
from validation.api.metrics import MetricViewSet, metric, points

__all__ = [
    "CheckViewSet",
    "ExternalCheckViewSet",
    "KnownEventViewSet",
    "MetricViewSet",
    "ResultViewSet",
    "RunViewSet",
    "integration",
    "metric",
    "points",
]
