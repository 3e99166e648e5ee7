"""Queries for external checks."""

from validation.domain.results import ResultStatus
from validation.models import ExternalCheck, ExternalCheckQuerySet


def failing_external_checks() -> ExternalCheckQuerySet:
    """Return the failing external checks of pipelines; `at` has the time of the result and `message` the reason."""
    return external_checks().filter(pipeline__isnull=False, status=ResultStatus.FAIL)


def external_checks() -> ExternalCheckQuerySet:
    """Return all external checks with their pipeline, by tool and key."""
    return ExternalCheck.objects.select_related("pipeline").order_by("tool", "key")
