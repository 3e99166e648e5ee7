"""What other tools said last."""

from validation.models import ExternalCheck, ExternalCheckQuerySet


def external_checks() -> ExternalCheckQuerySet:
    """Return every external check with its pipeline, by tool and key."""
    return ExternalCheck.objects.select_related("pipeline").order_by("tool", "key")
