"""Create, change and delete checks, metrics and data sources, and store the checks that a handbook suggests."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from sqlalchemy.exc import SQLAlchemyError

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.domain.names import slug_for
from people.models import User
from pipelines.models import Pipeline
from validation.domain.buckets import cron_problem, next_turn
from validation.domain.parameters import TYPES, ParameterErrors, read_parameters
from validation.domain.suggestions import CheckSuggestion
from validation.models import Check, CheckType, DataSource, Metric
from validation.models.checks import QUERY_TYPES, WITHOUT_METRIC
from validation.warehouse_worker import url_of

# A change to one of these can change the check's result, so the check runs again at once.
JUDGED_BY = {
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
WITH_ANOTHER = {
    CheckType.RATIO: "Choose the metric to divide by.",
    CheckType.RECONCILIATION: "Choose the metric to agree with.",
}
PREFIX = "parameters."


def query_problem(query: str) -> str:
    """Return why `query` cannot be sent to a warehouse, or an empty string if it can.

    A query must be one SELECT. The database connection is also read-only, whatever the query contains.
    """
    text = query.strip().rstrip(";").strip()
    if not text.lower().startswith(("select", "with")):
        return "Give one SELECT."
    if ";" in text:
        return "Give one statement, without a semicolon in it."
    return "It holds a NUL character." if "\0" in text else ""


@transaction.atomic
def create_check(pipeline: Pipeline, *, fields: Mapping[str, Any], by: User, at: dt.datetime) -> Check:
    """Create a check of a pipeline.

    Raises NotAllowedError if it has SQL and the user is not an admin, and InvalidInputError by field.
    """
    check = Check(pipeline=pipeline, check_type=fields.get("check_type", ""))
    _put(check, fields)
    _may(check, by=by)
    _checked(check)
    check.next_due_at = at if check.is_active else None
    check.save(force_insert=True)
    return check


@transaction.atomic
def update_check(check: Check, *, fields: Mapping[str, Any], by: User, at: dt.datetime) -> list[str]:
    """Change a check and return the names of the fields that changed.

    Raises NotAllowedError if the check has SQL, before or after the change, and the user is not an admin, and
    InvalidInputError by field. If the change can affect the result, the check runs at once and its current alert ends.
    """
    current = Check.objects.select_for_update(of=("self",)).select_related("metric").get(pk=check.pk)
    _may(current, by=by)
    before = {name: getattr(current, name) for name in fields}
    _put(current, fields)
    _may(current, by=by)
    _checked(current)
    changed = [name for name, value in before.items() if getattr(current, name) != value]
    if JUDGED_BY & set(changed):
        current.next_due_at = at if current.is_active else None
        if current.alerting_since is not None:
            current.alerting_since, current.alert_ended_at = None, at
        current.last_bucket = None
    if changed:
        current.save()
    for field in current._meta.concrete_fields:  # noqa: SLF001  # _meta is documented API of Django
        setattr(check, field.attname, getattr(current, field.attname))
    return changed


def delete_check(check: Check, *, by: User) -> None:
    """Delete a check with all its results; raise NotAllowedError as `update_check` does."""
    _may(check, by=by)
    Check.objects.filter(pk=check.pk).delete()


def _may(check: Check, *, by: User) -> None:
    if check.has_sql and not by.is_staff:
        raise NotAllowedError("Checks with SQL are made and changed by admins.")


def _put(check: Check, fields: Mapping[str, Any]) -> None:
    if not isinstance(fields.get("parameters", {}), dict):
        raise InvalidInputError({"parameters": ["Give an object."]})
    for name, value in fields.items():
        setattr(check, name, value)


def _checked(check: Check) -> None:
    """Raise InvalidInputError, by field, if the check is invalid."""
    problems: dict[str, list[str]] = {}
    if check.check_type not in TYPES:
        raise InvalidInputError({"check_type": [f"It is one of {', '.join(TYPES)}."]})
    given = dict(check.parameters)
    try:
        json.dumps(given, ensure_ascii=False).encode()
    except (UnicodeEncodeError, ValueError, TypeError, RecursionError) as error:
        raise InvalidInputError({"parameters": ["They are not made of texts and numbers."]}) from error
    try:
        check.parameters = read_parameters(check.check_type, given)
    except ParameterErrors as wrong:
        # A suggested check may lack parameters while it is inactive.
        if check.is_active or set(wrong.problems) & set(given):
            problems |= {f"{PREFIX}{name}": why for name, why in wrong.problems.items()}
    problems |= _about_timetable(check) | _about_data(check)
    try:
        check.full_clean(exclude=["parameters"])
    except ValidationError as error:
        for name, why in error.message_dict.items():
            problems.setdefault("detail" if name == "__all__" else name, why)
    if problems:
        raise InvalidInputError(problems)


def _about_timetable(check: Check) -> dict[str, list[str]]:
    check.cron = " ".join(check.cron.split())
    if check.cron:
        check.interval_minutes = None
        problem = cron_problem(check.cron)
        return {"cron": [problem]} if problem else {}
    return {} if check.interval_minutes else {"interval_minutes": ["Give minutes, or a cron line."]}


def _about_data(check: Check) -> dict[str, list[str]]:
    problems: dict[str, list[str]] = {}
    if check.metric is not None and check.metric.pipeline_id != check.pipeline_id:
        problems["metric"] = ["It is a metric of another pipeline."]
    if set(check.weekdays) - set(range(7)):
        problems["weekdays"] = ["Give weekdays, 0 for Monday to 6 for Sunday."]
    check.weekdays = sorted(set(check.weekdays))
    if check.query and query_problem(check.query):
        problems["query"] = [query_problem(check.query)]
    if check.is_active:
        problems |= _needed(check)
    return problems


def _needed(check: Check) -> dict[str, list[str]]:
    """Return what is missing before the check can be activated, by field."""
    if check.check_type in QUERY_TYPES:
        return {} if check.query and check.source_id else {"query": ["Give the source and its SELECT."]}
    if check.check_type not in WITHOUT_METRIC and check.metric_id is None:
        return {"metric": ["Choose the metric that is judged."]}
    parts = check.parameters.get("mode") == "parts"
    if check.check_type in WITH_ANOTHER and check.other_metric_id is None and not parts:
        return {"other_metric": [WITH_ANOTHER[CheckType(check.check_type)]]}
    return {}


def due_after(check: Check, *, at: dt.datetime) -> dt.datetime:
    """Return when a check that ran at `at` is due next."""
    interval = dt.timedelta(minutes=check.interval_minutes) if check.interval_minutes else None
    zone = ZoneInfo(check.zone_name)
    return next_turn(at, interval=interval, cron=check.cron, zone=zone, was_due=check.next_due_at)


@transaction.atomic
def save_metric(metric: Metric, *, by: User) -> Metric:
    """Create or update a metric.

    Raises NotAllowedError if it has SQL and the user is not an admin, and InvalidInputError by field. The grain and
    time zone cannot change once the metric has data points, because their buckets depend on both.
    """
    stored = Metric.objects.select_for_update().filter(pk=metric.pk).first() if metric.pk else None
    if not by.is_staff and (metric.query or (stored and stored.query)):
        raise NotAllowedError("Metrics with SQL are made and changed by admins.")
    problems: dict[str, list[str]] = {}
    if metric.query and query_problem(metric.query):
        problems["query"] = [query_problem(metric.query)]
    if stored and stored.points.exists():
        for name in ("grain", "time_zone"):
            if getattr(stored, name) != getattr(metric, name):
                problems[name] = ["It has points already: make another metric."]
    try:
        metric.full_clean()
    except ValidationError as error:
        problems |= {"detail" if name == "__all__" else name: why for name, why in error.message_dict.items()}
    if problems:
        raise InvalidInputError(problems)
    metric.save()
    return metric


def address_problem(address: str) -> str:
    """Return why `address` is not a valid warehouse address, or an empty string. Never repeats the address."""
    if not address:
        return "Give the address, such as postgresql://reader:password@host/warehouse."
    try:
        url_of(address).get_dialect()
    except (SQLAlchemyError, ValueError, ImportError):
        return "It is no address of a database that is known here."
    return ""


def create_data_source(
    *, name: str, address: str, by: User, limit_seconds: int = 30, row_cap: int = 100_000
) -> DataSource:
    """Create a data source and encrypt its address.

    Raises NotAllowedError if the user is not an admin, and InvalidInputError by field.
    """
    source = DataSource(name=name, limit_seconds=limit_seconds, row_cap=row_cap)
    return save_data_source(source, address=address, by=by)


@transaction.atomic
def save_data_source(source: DataSource, *, address: str, by: User) -> DataSource:
    """Save a data source; an empty `address` leaves the stored one unchanged.

    Raises NotAllowedError if the user is not an admin, and InvalidInputError by field.
    """
    if not by.is_staff:
        raise NotAllowedError("Sources are kept by admins.")
    given = address.strip()
    if given or source.pk is None:
        if address_problem(given):
            raise InvalidInputError({"address": [address_problem(given)]})
        source.address, source.dialect = given, url_of(given).get_backend_name()[:30]
    try:
        # An unchanged address is not decrypted, so that a source can be edited without its key.
        source.full_clean(exclude=() if given else ("address",))
    except ValidationError as error:
        raise InvalidInputError(
            {"detail" if n == "__all__" else n: why for n, why in error.message_dict.items()}
        ) from error
    source.save()
    return source


def delete_data_source(source: DataSource, *, by: User) -> None:
    """Delete a data source.

    Raises NotAllowedError if the user is not an admin, and DomainError while metrics or checks use the source.
    """
    if not by.is_staff:
        raise NotAllowedError("Sources are kept by admins.")
    try:
        DataSource.objects.filter(pk=source.pk).delete()
    except (models.ProtectedError, IntegrityError) as error:
        raise DomainError("Metrics or checks are read from it: change those first.") from error


@transaction.atomic
def create_suggested_checks(pipeline: Pipeline, *, proposals: Iterable[CheckSuggestion]) -> list[Check]:
    """Create an inactive check for each suggestion that is not stored yet, and return the new checks.

    A suggestion is identified by its line in the handbook file and is stored only once. Later changes to its check,
    such as a new name or activation, are never overwritten.
    """
    Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    known = set(
        Check.objects.filter(pipeline=pipeline).exclude(proposed_from="").values_list("proposed_from", flat=True)
    )
    names = set(Check.objects.filter(pipeline=pipeline).values_list("name", flat=True))
    made = []
    for one in proposals:
        line = one.line[:500]
        if line in known:
            continue
        check = Check(
            pipeline=pipeline,
            name=_free_name(one.name, taken=names),
            check_type=one.check_type,
            metric=_proposed_metric(pipeline, one),
            parameters=_proposed_parameters(one),
            interval_minutes=60,
            is_active=False,
            proposed_from=line,
        )
        check.save(force_insert=True)
        known.add(line)
        names.add(check.name)
        made.append(check)
    return made


def _free_name(wanted: str, *, taken: set[str]) -> str:
    name, number = wanted[:120], 2
    while name in taken:
        suffix = f" ({number})"
        name, number = wanted[: 120 - len(suffix)] + suffix, number + 1
    return name


def _proposed_metric(pipeline: Pipeline, proposal: CheckSuggestion) -> Metric | None:
    """Return the pipeline's metric with the suggested name, or None."""
    taken: set[str] = set()
    return Metric.objects.filter(pipeline=pipeline, slug=slug_for(proposal.metric, taken)).first()


def _proposed_parameters(proposal: CheckSuggestion) -> dict[str, object]:
    """Return the suggestion's values as parameters of the check type, without those the type does not accept."""
    told = dict(proposal.parameters)
    if "fail_after_hours" in told:
        told["fail_after_minutes"] = round(float(str(told.pop("fail_after_hours"))) * 60)
    try:
        return dict(read_parameters(proposal.check_type, told))
    except ParameterErrors as wrong:
        return {name: value for name, value in told.items() if name not in wrong.problems}


LONGEST = dt.timedelta(days=92)


def mute_check(check: Check, *, until: dt.datetime, at: dt.datetime) -> Check:
    """Mute a check's alerts until `until`; raise InvalidInputError for `until` if it is past or too far ahead."""
    if until <= at:
        raise InvalidInputError({"until": ["It is over already."]})
    if until - at > LONGEST:
        raise InvalidInputError({"until": ["A check is muted for three months at most."]})
    Check.objects.filter(pk=check.pk).update(muted_until=until)
    check.muted_until = until
    return check


def unmute_check(check: Check) -> Check:
    """Unmute a check, so that it can start alerts again."""
    Check.objects.filter(pk=check.pk).update(muted_until=None)
    check.muted_until = None
    return check
