"""Notifications about checks that cannot run, and to the owners of tests that fail."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.urls import reverse

from lineage.queries import dbt_test_owners
from notifications.registry import Notification, paragraphs, register
from notifications.services.outbox import enqueue
from people.models import User
from validation.domain.results import ResultStatus
from validation.importers import dbt
from validation.models import Check, CheckResult, ExternalCheck

ERROR_LIFETIME = dt.timedelta(days=1)
MAX_LISTED = 20
ERROR_ADVICE = "No data-quality results until it is fixed."


@register
@dataclass(frozen=True, slots=True)
class CheckErrorReport(Notification):
    """A check ended in an error, so that it says nothing about the data."""

    name = "check-error"
    label = "Check error"
    identity = ("check_id", "result_id")
    admins_only = True

    check_id: int
    result_id: int
    check_name: str
    pipeline: str
    message: str

    def subject(self, reader: User) -> str:
        return f"Check “{self.check_name}” ({self.pipeline}) cannot run"

    def body(self, reader: User) -> str:
        return paragraphs(self.message, ERROR_ADVICE)

    def link(self) -> str:
        return reverse("check", args=[self.check_id])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return Check.objects.filter(pk=self.check_id, last_status=ResultStatus.ERROR).exists()


@dataclass(frozen=True, slots=True)
class BrokenCheck:
    """An external check that ended in an error."""

    check_id: int
    check_name: str
    message: str


@register
@dataclass(frozen=True, slots=True)
class ExternalCheckErrorReport(Notification):
    """Checks of another tool ended in an error; one notification for each import."""

    name = "external-check-error"
    label = "External check error"
    identity = ("tool", "imported_at")
    admins_only = True

    tool: str
    imported_at: dt.datetime
    checks: tuple[BrokenCheck, ...]

    def broken_checks(self) -> list[BrokenCheck]:
        """Return the checks that still report an error."""
        rows = ExternalCheck.objects.filter(pk__in=[check.check_id for check in self.checks], status=ResultStatus.ERROR)
        broken = set(rows.values_list("pk", flat=True))
        return [check for check in self.checks if check.check_id in broken]

    def subject(self, reader: User) -> str:
        count = len(self.broken_checks())
        return f"{count} {self.tool} {'check' if count == 1 else 'checks'} cannot run"

    def body(self, reader: User) -> str:
        checks = self.broken_checks()
        lines = [f"{check.check_name}: {check.message}" for check in checks[:MAX_LISTED]]
        more = f"and {len(checks) - MAX_LISTED} more" if len(checks) > MAX_LISTED else ""
        advice = ERROR_ADVICE if len(checks) == 1 else "No data-quality results until they are fixed."
        return paragraphs(*lines, more, advice)

    def link(self) -> str:
        return reverse("external-checks")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return bool(self.broken_checks())


@register
@dataclass(frozen=True, slots=True)
class OwnedTestFailure(Notification):
    """A test of another tool failed, and the code names its owner. The incident notifies the pipeline's responder."""

    name = "owned-test-failed"
    label = "Failed test that I own"
    identity = ("check_id", "failed_at")

    check_id: int
    check_name: str
    pipeline: str
    message: str
    failed_at: dt.datetime

    def subject(self, reader: User) -> str:
        return f"Your {self.check_name} failed" + (f" ({self.pipeline})" if self.pipeline else "")

    def body(self, reader: User) -> str:
        return paragraphs(self.message, "The code lists you as the owner of this test.")

    def link(self) -> str:
        return reverse("external-check", args=[self.check_id])

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return ExternalCheck.objects.filter(pk=self.check_id, status=ResultStatus.FAIL).exists()


def notify_test_owners(checks: Sequence[ExternalCheck], *, at: dt.datetime) -> None:
    """Notify the owners in the code of tests that started to fail."""
    owners = dbt_test_owners({check.key for check in checks if check.tool == dbt.TOOL})
    for check in checks:
        if check.tool == dbt.TOOL and check.key in owners:
            notification = OwnedTestFailure(
                check_id=check.pk,
                check_name=check.name,
                pipeline=str(check.pipeline or ""),
                message=check.message,
                failed_at=check.at,
            )
            enqueue([owners[check.key]], notification, due_at=at, expires_at=at + ERROR_LIFETIME)


def notify_check_error(check: Check, result: CheckResult) -> None:
    """Notify the admins that a check ended in an error."""
    notification = CheckErrorReport(
        check_id=check.pk,
        result_id=result.pk,
        check_name=check.name,
        pipeline=str(check.pipeline),
        message=f"{result.message} {result.details}".rstrip(),
    )
    enqueue(
        User.objects.get_queryset().admins(),
        notification,
        due_at=result.finished_at,
        expires_at=result.finished_at + ERROR_LIFETIME,
    )


def notify_external_errors(checks: Sequence[ExternalCheck], *, at: dt.datetime) -> None:
    """Notify the admins of the checks of one import that ended in an error, if there are any."""
    if not checks:
        return
    notification = ExternalCheckErrorReport(
        tool=checks[0].get_tool_display(),
        imported_at=at,
        checks=tuple(BrokenCheck(check.pk, check.name, check.message) for check in checks),
    )
    enqueue(User.objects.get_queryset().admins(), notification, due_at=at, expires_at=at + ERROR_LIFETIME)
