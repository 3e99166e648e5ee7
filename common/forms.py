"""Form fields for text, and showing service errors in forms."""

import datetime as dt
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.forms.renderers import DjangoTemplates
from django.utils.dateparse import parse_date
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from common.datetimes import OUT_OF_RANGE_DATE, is_in_range
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_day, format_minutes, parse_minutes
from common.validators import validate_line, validate_text


class FocusedBoundField(BoundField):
    """A field that takes the focus if it is the first with an error, so that the page opens at the error."""

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        """Return the attributes of the widget, with `autofocus` for the first field with an error."""
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        form = self.form
        if form.is_bound and self.name == next((name for name in form.fields if name in form.errors), None):
            built["autofocus"] = True
        return built


class FormRenderer(DjangoTemplates):
    """The renderer of every form, Django's admin included."""

    bound_field_class = FocusedBoundField


class LineField(forms.CharField):
    """One line of text (`common.text`)."""

    default_validators = [validate_line]


# Selects on a page repeat the list of people. Above this many options, only one select lists everyone, and `options.js` fills the others.
MAX_OPTIONS = 2000


class MultilineField(forms.CharField):
    """Text of several lines (`common.text`).

    Browsers send a line break as two characters. It counts as one, as in the browser's own limit.
    """

    widget = forms.Textarea
    default_validators = [validate_text]

    def to_python(self, value: Any) -> Any:
        """Return the text with line breaks of one character."""
        text = super().to_python(value)
        return text.replace("\r\n", "\n") if isinstance(text, str) else text


class DayField(forms.DateField):
    """A date between 2000 and 2100."""

    def clean(self, value: Any) -> dt.date | None:
        """Return the date, or None for an empty field; raise ValidationError if it is out of range."""
        day: dt.date | None = super().clean(value)
        if day is not None and not is_in_range(day):
            raise forms.ValidationError(OUT_OF_RANGE_DATE)
        return day


class CheckboxList(forms.CheckboxSelectMultiple):
    """Check boxes in columns, wide ones for long labels, which a screen reader announces as one group."""

    def __init__(self, *, is_wide: bool = False) -> None:
        super().__init__(attrs={"class": "choices wide" if is_wide else "choices"})


class MonthSelect(forms.Select):
    """A select of months, grouped by year, for a DayField. The value is the first day of the month.

    Some browsers show `<input type=month>` as a plain text field.
    """

    def __init__(self, *, empty_label: str) -> None:
        super().__init__(choices=[("", empty_label)])

    def add_months(self, months: Iterable[dt.date]) -> None:
        """Add months to the choices, each given by its first day."""
        options = ((f"{month:%Y}", (month.isoformat(), format_day(month, "month"))) for month in months)
        groups = groupby(options, key=itemgetter(0))
        self.choices = [*self.choices, *((year, [option for _, option in rows]) for year, rows in groups)]

    def format_value(self, value: Any) -> list[str]:
        """Return the value of the option for the month of a date, or of the empty option."""
        try:
            day = value if isinstance(value, dt.date) else parse_date(str(value or ""))
        except ValueError:
            day = None
        return [day.replace(day=1).isoformat() if day else ""]


def mark_needed(field: forms.Field) -> forms.Field:
    """Mark and return a field that only some uses of its form require, so that pages do not label it optional."""
    field.is_needed = True  # type: ignore[attr-defined]  # read by _form_field.html
    return field


def option_help(select: str, options: Iterable[tuple[str, str, str]]) -> SafeString:
    """Return the help of a field that depends on the select named `select`: a value, label and text each.

    The page shows the help of the selected option; without JavaScript, of all.
    """
    rows = ((select, value, label, text) for value, label, text in options)
    return format_html_join("", '<div data-select="{}" data-option="{}"><strong>{}</strong>: {}</div>', rows)


class MinutesField(forms.Field):
    """A duration in whole minutes, typed and shown as "1 h 30 min"; a number alone is minutes."""

    def __init__(self, *, min_value: int = 0, max_value: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min_value, self.max_value = min_value, max_value

    def prepare_value(self, value: Any) -> Any:
        """Return minutes as text."""
        return format_minutes(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        """Return the minutes, or None for an empty field."""
        text = str(value or "").strip()
        if not text:
            return None
        try:
            minutes = parse_minutes(text)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error
        if not self.min_value <= minutes <= self.max_value:
            least, most = (format_minutes(bound) for bound in (self.min_value, self.max_value))
            raise forms.ValidationError(f"Enter a duration from {least} to {most}.")
        return minutes


def add_service_error(form: forms.Form, error: DomainError) -> int:
    """Add a service error to a form; return the HTTP status."""
    if isinstance(error, InvalidInputError):
        add_field_errors(form, error)
        return 400
    form.add_error(None, str(error))
    return 403 if isinstance(error, NotAllowedError) else 409


def add_field_errors(form: forms.BaseForm, error: InvalidInputError) -> None:
    """Add errors to their form fields, or above the form if it has no such field."""
    for name, messages in error.problems.items():
        form.add_error(name if name in form.fields else None, messages)


def form_errors(form: forms.BaseForm) -> InvalidInputError:
    """Return a form's errors as an InvalidInputError."""
    return InvalidInputError({name: [str(message) for message in messages] for name, messages in form.errors.items()})


class LinesField(forms.CharField):
    """A list of texts, one per line. A line that starts with a space continues the item above it."""

    widget = forms.Textarea

    def prepare_value(self, value: object) -> object:
        """Return the list as the text to edit."""
        return "\n".join(str(item).replace("\n", "\n  ") for item in value) if isinstance(value, list) else value

    def to_python(self, value: object) -> list[str]:  # type: ignore[override]  # a list, as a typed multiple choice
        """Return the items; blank lines are ignored. Raise ValidationError as a MultilineField does."""
        items: list[str] = []
        text = str(super().to_python(value) or "")
        validate_text(text)
        for line in text.splitlines():
            if line[:1].isspace() and line.strip() and items:
                items[-1] += f"\n{line.strip()}"
            elif line.strip():
                items.append(line.strip())
        return items

    def has_changed(self, initial: object, data: object) -> bool:
        """Return True if the items differ."""
        return (initial or []) != self.to_python(data)
