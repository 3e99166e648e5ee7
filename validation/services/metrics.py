"""Create and change metrics."""

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from validation.domain.sql import query_problem
from validation.models import Check, Metric


@transaction.atomic
def save_metric(metric: Metric, *, by: User) -> Metric:
    """Create or update a metric.

    Raises NotAllowedError if it has SQL and the user is not an admin, and InvalidInputError by field. The grain and
    time zone cannot change once the metric has data points, because their buckets depend on both.
    """
    stored = Metric.objects.select_for_update().filter(pk=metric.pk).first() if metric.pk else None
    if not by.is_staff and (metric.query or (stored and stored.query)):
        raise NotAllowedError("Only admins can create or edit metrics with SQL.")
    problems: dict[str, list[str]] = {}
    if metric.query and query_problem(metric.query):
        problems["query"] = [query_problem(metric.query)]
    if stored and stored.points.exists():
        for name in ("grain", "time_zone"):
            if getattr(stored, name) != getattr(metric, name):
                problems[name] = ["Cannot change because the metric has data points. Create another metric."]
    try:
        metric.full_clean()
    except ValidationError as error:
        problems |= {"detail" if name == "__all__" else name: why for name, why in error.message_dict.items()}
    if problems:
        raise InvalidInputError(problems)
    metric.save()
    return metric


@transaction.atomic
def delete_unused_metric(metric: Metric, *, by: User) -> None:
    """Delete a metric; raise DomainError if it has data points or checks, and NotAllowedError as `save_metric` does."""
    row = Metric.objects.select_for_update().filter(pk=metric.pk).first()
    if row is None:
        raise DomainError("This metric has since been deleted.")
    if row.query and not by.is_staff:
        raise NotAllowedError("Only admins can create or edit metrics with SQL.")
    if row.points.exists() or Check.all_objects.filter(Q(metric=row) | Q(other_metric=row)).exists():
        raise DomainError("This metric now has data points or checks.")
    row.delete()
