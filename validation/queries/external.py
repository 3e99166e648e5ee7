"""Queries for external checks."""

from validation.domain.results import ResultStatus
from validation.models import ExternalCheck, ExternalCheckQuerySet


def failing_external_checks() -> ExternalCheckQuerySet:
    """Return the external checks of a pipeline that another tool says fail; `at` says since when, `message` why."""
    return external_checks().filter(pipeline__isnull=False, status=ResultStatus.FAIL)


def external_checks() -> ExternalCheckQuerySet:
    """Return every external check with its pipeline, by tool and key."""
    return ExternalCheck.objects.select_related("pipeline").order_by("tool", "key")
