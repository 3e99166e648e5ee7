"""Create, change, mute and delete checks, and store the checks that a handbook suggests."""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from common.datetimes import RESTORE_WINDOW
from common.db import lock_rows
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.domain.names import slug_for
from people.models import User
from pipelines.models import Pipeline
from validation.check_types import CHECK_TYPES
from validation.domain.buckets import DAY, cron_problem
from validation.domain.parameters import WEEKDAYS, InvalidParametersError
from validation.domain.sql import query_problem
from validation.domain.suggestions import CheckSuggestion
from validation.models import Check, Metric

# A change to one of these can change the check's result, so the check runs again at once.
RESULT_FIELDS = {
    "check_type",
    "metric",
    "other_metric",
    "source",
    "query",
    "parameters",
    "interval_minutes",
    "cron",
    "is_active",
}
PARAMETERS_PREFIX = "parameters."
MAX_MUTE = dt.timedelta(days=92)
MAX_NAME_LENGTH, MAX_LINE_LENGTH = 120, 500


@transaction.atomic
def create_check(pipeline: Pipeline, *, fields: Mapping[str, Any], by: User, at: dt.datetime) -> Check:
    """Create a check of a pipeline.

    Raises NotAllowedError if it has SQL and the user is not an admin, and InvalidInputError by field.
    """
    check = Check(pipeline=pipeline, check_type=fields.get("check_type", ""))
    _set_fields(check, fields)
    _require_permission(check, by=by)
    _validate(check)
    check.next_due_at = at if check.is_active else None
    check.save(force_insert=True)
    return check


def draft_check(check: Check, *, fields: Mapping[str, Any], by: User) -> Check:
    """Return an unsaved copy of a check with these fields, valid as if it were enabled. Raises as `create_check` does."""
    draft = copy(check)
    _require_permission(draft, by=by)
    _set_fields(draft, {**fields, "is_active": True})
    _require_permission(draft, by=by)
    _validate(draft)
    return draft


@transaction.atomic
def update_check(check: Check, *, fields: Mapping[str, Any], by: User, at: dt.datetime) -> list[str]:
    """Change a check and return the names of the fields that changed.

    Raises NotAllowedError if the check has SQL, before or after the change, and the user is not an admin, and
    InvalidInputError by field, and DomainError if the check has since been deleted. If the change can affect the result, the check runs at once and its current alert ends.
    """
    current = lock_rows(Check.objects.select_related("metric").filter(pk=check.pk)).first()
    if current is None:
        raise DomainError("This check was deleted. Restore it first.")
    _require_permission(current, by=by)
    before = {name: getattr(current, name) for name in fields}
    _set_fields(current, fields)
    _require_permission(current, by=by)
    _validate(current)
    changed = [name for name, value in before.items() if getattr(current, name) != value]
    if RESULT_FIELDS & set(changed):
        current.next_due_at = at if current.is_active else None
        if current.alerting_since is not None:
            current.alerting_since, current.alert_ended_at = None, at
        current.last_bucket = None
    if changed:
        current.save()
    for field in current._meta.concrete_fields:  # noqa: SLF001  # _meta is documented API of Django
        setattr(check, field.attname, getattr(current, field.attname))
    return changed


@transaction.atomic
def delete_check(check: Check, *, by: User, at: dt.datetime) -> None:
    """Delete a check; one with results can be restored for 30 days.

    Raises NotAllowedError as `update_check` does.

    `check` keeps its `pk` and gets its `deleted_at`, None if it was deleted for good.
    """
    current = Check.objects.select_for_update(of=("self",)).filter(pk=check.pk).first()
    if current is None:
        return
    _require_permission(current, by=by)
    if not current.results.exists():
        current.delete()
        return
    check.deleted_at, check.deleted_by = current.deleted_at, current.deleted_by = at, by
    current.next_due_at = current.requested_at = current.alerting_since = None
    current.claim = current.lease_until = current.running_since = None
    current.save()


@transaction.atomic
def restore_check(check: Check, *, by: User, at: dt.datetime) -> Check:
    """Restore a deleted check with its results, under another name if its own is taken, and run it if it is enabled.

    Raises NotAllowedError as `update_check` does, and DomainError if the check is gone.
    """
    row = Check.all_objects.select_for_update(of=("self",)).filter(pk=check.pk).first()
    if row is None:
        raise DomainError("This check was deleted more than 30 days ago and cannot be restored.")
    _require_permission(row, by=by)
    if row.deleted_at is not None:
        names = set(Check.objects.filter(pipeline=row.pipeline_id).values_list("name", flat=True))
        row.name = _free_name(row.name, taken=names)
        row.deleted_at = row.deleted_by = None
        row.next_due_at = at if row.is_active else None
        row.save()
    return row


def purge_deleted_checks(*, at: dt.datetime) -> int:
    """Delete checks, with their results, that were deleted more than 30 days ago; return how many."""
    expired = Check.all_objects.filter(deleted_at__lte=at - RESTORE_WINDOW)
    count = expired.count()
    expired.delete()
    return count


def mute_check(check: Check, *, until: dt.datetime, at: dt.datetime) -> Check:
    """Mute a check's alerts until `until`; raise InvalidInputError for `until` if it is past or too far ahead."""
    if until <= at:
        raise InvalidInputError({"until": ["Must be in the future."]})
    if until - at > MAX_MUTE:
        raise InvalidInputError({"until": ["A check can be muted for at most three months."]})
    Check.objects.filter(pk=check.pk).update(muted_until=until)
    check.muted_until = until
    return check


def unmute_check(check: Check) -> Check:
    """Unmute a check, so that it can start alerts again."""
    Check.objects.filter(pk=check.pk).update(muted_until=None)
    check.muted_until = None
    return check


@transaction.atomic
def create_suggested_checks(suggestions: Mapping[Pipeline, Iterable[CheckSuggestion]]) -> dict[Pipeline, list[Check]]:
    """Create an inactive check for each suggestion that is not stored yet, and return the new checks of each pipeline.

    A suggestion is identified by its line in the handbook file and is stored only once. Later changes to its check,
    such as a new name or activation, are never overwritten.
    """
    keys = [pipeline.pk for pipeline in suggestions]
    list(Pipeline.objects.select_for_update().filter(pk__in=keys).order_by("pk"))
    # A suggestion whose check was deleted is not made again.
    stored = defaultdict[int, list[Check]](list)
    for check in Check.all_objects.filter(pipeline__in=keys).only("pipeline", "name", "proposed_from"):
        stored[check.pipeline_id].append(check)
    metrics = defaultdict[int, dict[str, Metric]](dict)
    for metric in Metric.objects.filter(pipeline__in=keys).only("pipeline", "slug"):
        metrics[metric.pipeline_id][metric.slug] = metric
    created = {
        pipeline: _suggested_checks(pipeline, rows, stored=stored[pipeline.pk], metrics=metrics[pipeline.pk])
        for pipeline, rows in suggestions.items()
    }
    Check.objects.bulk_create(check for checks in created.values() for check in checks)
    return created


def _suggested_checks(
    pipeline: Pipeline, suggestions: Iterable[CheckSuggestion], *, stored: list[Check], metrics: Mapping[str, Metric]
) -> list[Check]:
    """Return an unsaved check for each suggestion that is not among the stored checks of the pipeline."""
    lines, names = {check.proposed_from for check in stored}, {check.name for check in stored}
    checks = []
    for suggestion in suggestions:
        line = suggestion.line[:MAX_LINE_LENGTH]
        if line in lines:
            continue
        check = Check(
            pipeline=pipeline,
            name=_free_name(suggestion.name, taken=names),
            check_type=suggestion.check_type,
            metric=metrics.get(slug_for(suggestion.metric, set())),
            parameters=_draft_parameters(suggestion),
            interval_minutes=60,
            is_active=False,
            proposed_from=line,
        )
        lines.add(line)
        names.add(check.name)
        checks.append(check)
    return checks


def _require_permission(check: Check, *, by: User) -> None:
    if check.has_sql and not by.is_staff:
        raise NotAllowedError("Only admins can create or edit checks with SQL.")


def _set_fields(check: Check, fields: Mapping[str, Any]) -> None:
    if not isinstance(fields.get("parameters", {}), dict):
        raise InvalidInputError({"parameters": ["Must be an object."]})
    for name, value in fields.items():
        setattr(check, name, value)


def _validate(check: Check) -> None:
    """Raise InvalidInputError, by field, if the check is invalid; store its parameters with their defaults."""
    if check.check_type not in CHECK_TYPES:
        raise InvalidInputError({"check_type": [f"Must be one of {', '.join(CHECK_TYPES)}."]})
    problems = _parameter_problems(check) | _schedule_problems(check) | _data_problems(check)
    try:
        check.full_clean(exclude=["parameters"])
    except ValidationError as error:
        for name, why in error.message_dict.items():
            problems.setdefault("detail" if name == "__all__" else name, why)
    if problems:
        raise InvalidInputError(problems)


def _parameter_problems(check: Check) -> dict[str, list[str]]:
    values = dict(check.parameters)
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except (UnicodeEncodeError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInputError({"parameters": ["Must contain only text and numbers."]}) from error
    try:
        check.parameters = check.type.dump(check.type.read(values))
    except InvalidParametersError as invalid:
        # A suggested check may lack parameters while it is inactive.
        if check.is_active or set(invalid.problems) & set(values):
            return {f"{PARAMETERS_PREFIX}{name}": why for name, why in invalid.problems.items()}
    return {}


def _schedule_problems(check: Check) -> dict[str, list[str]]:
    check.cron = " ".join(check.cron.split())
    if check.cron:
        check.interval_minutes = None
        problem = cron_problem(check.cron)
        return {"cron": [problem]} if problem else {}
    return {} if check.interval_minutes else {"interval_minutes": ["Enter an interval or a cron expression."]}


def _data_problems(check: Check) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if check.metric is not None and check.metric.pipeline_id != check.pipeline_id:
        problems["metric"] = ["This metric belongs to another pipeline."]
    if check.type.other_metric_label and (problem := _companion_problem(check)):
        problems["other_metric"] = [problem]
    if set(check.weekdays) - set(range(WEEKDAYS)):
        problems["weekdays"] = ["Choose weekdays, 0 for Monday to 6 for Sunday."]
    check.weekdays = sorted(set(check.weekdays))
    if check.query and query_problem(check.query):
        problems["query"] = [query_problem(check.query)]
    return problems | _missing_data(check) if check.is_active else problems


def _companion_problem(check: Check) -> str:
    """Return why the other metric cannot be a companion of the metric, or an empty string."""
    if check.metric is None or check.other_metric is None:
        return ""
    if check.other_metric_id == check.metric_id:
        return "Choose a metric other than the one that is evaluated."
    if check.other_metric.grain != check.metric.grain:
        return (
            "Choose a metric with a value per day."
            if check.metric.step >= DAY
            else "Choose a metric with a value per hour."
        )
    return ""


def _missing_data(check: Check) -> dict[str, list[str]]:
    """Return what must be chosen before the check can be enabled, by field."""
    parameters = check.type.load_draft(check.parameters)
    has_query = bool(check.query and check.source_id)
    problems = check.type.data_problem(parameters, has_metric=check.metric_id is not None, has_query=has_query)
    if not problems and check.other_metric_id is None and check.type.other_metric_problem(parameters):
        problems = {"other_metric": check.type.other_metric_problem(parameters)}
    return {field: [problem] for field, problem in problems.items()}


def _free_name(name: str, *, taken: set[str]) -> str:
    free, number = name[:MAX_NAME_LENGTH], 2
    while free in taken:
        suffix = f" ({number})"
        free, number = name[: MAX_NAME_LENGTH - len(suffix)] + suffix, number + 1
    return free


def _draft_parameters(suggestion: CheckSuggestion) -> dict[str, object]:
    """Return the suggestion's values as parameters of the check type, without those the type does not accept."""
    check_type, values = CHECK_TYPES[suggestion.check_type], dict(suggestion.parameters)
    try:
        return check_type.dump(check_type.read(values))
    except InvalidParametersError as invalid:
        return {name: value for name, value in values.items() if name not in invalid.problems}
