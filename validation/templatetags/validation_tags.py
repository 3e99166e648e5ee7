"""Template filters for check results."""

from django import template

from common.formatting import format_value
from validation.domain.results import ResultStatus

register = template.Library()

STATUS_LABELS = {
    ResultStatus.PASS: "Passed",
    ResultStatus.WARN: "Warning",
    ResultStatus.FAIL: "Failed",
    ResultStatus.ERROR: "Error",
    ResultStatus.SKIP: "Skipped",
    ResultStatus.UNKNOWN: "Unknown",
}


@register.filter
def status_label(status: str) -> str:
    """Return the display name of a result's status."""
    return STATUS_LABELS[ResultStatus(status)]


@register.filter
def with_unit(value: float, unit: str) -> str:
    """Return a value with its unit, as everywhere: "99,558.5 EUR"."""
    return format_value(value, unit=unit)


STATUS_CLASSES = {
    ResultStatus.PASS: "ok",
    ResultStatus.WARN: "warn",
    ResultStatus.FAIL: "danger",
    ResultStatus.ERROR: "warn",
}


STATUS_ICONS = {
    ResultStatus.PASS: "circle-check",
    ResultStatus.WARN: "triangle-alert",
    ResultStatus.FAIL: "circle-x",
    ResultStatus.ERROR: "bug",
    ResultStatus.SKIP: "circle-slash",
    ResultStatus.UNKNOWN: "circle-question-mark",
}


@register.filter
def status_icon(status: str) -> str:
    """Return the name of a status's icon."""
    return STATUS_ICONS[ResultStatus(status)]


@register.filter
def status_class(status: str) -> str:
    """Return the CSS class of a status badge."""
    return STATUS_CLASSES.get(ResultStatus(status), "")
