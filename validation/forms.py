"""Forms for metrics, checks, mutes and known events."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, cast

from django import forms
from django.forms.boundfield import BoundWidget

from common.formatting import format_minutes
from common.forms import CheckboxList, DayField, LineField, MinutesField, MultilineField, mark_needed
from people.domain.names import slug_for
from people.models import User
from pipelines.models import Pipeline
from validation.check_types import CHECK_TYPES
from validation.domain.parameters import Parameter
from validation.domain.sql import query_problem
from validation.models import Check, DataSource, Holidays, Metric, Severity
from validation.models.checks import check_type_choices
from validation.models.metrics import METRIC_FIELDS
from validation.queries.checks import sources
from validation.services.known_events import Event

PREFIX = "parameters."
WEEKDAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))
MUTE_HOURS = (
    ("1", "1 hour"),
    ("4", "4 hours"),
    ("24", "1 day"),
    ("72", "3 days"),
    ("168", "1 week"),
    ("720", "30 days"),
)


class MetricForm(forms.ModelForm[Metric]):
    """A metric, with an optional SQL query."""

    class Meta:
        model = Metric
        fields: tuple[str, ...] = METRIC_FIELDS

    def clean_query(self) -> str:
        """Return the query; raise ValidationError unless it is a single SELECT."""
        query: str = self.cleaned_data["query"]
        problem = query_problem(query) if query else ""
        if problem:
            raise forms.ValidationError(problem)
        return query

    def clean(self) -> dict[str, Any]:
        """Reject a new granularity or time zone for a metric with data points: it would change what they mean."""
        values: dict[str, Any] = super().clean() or {}
        changed = [name for name in ("grain", "time_zone") if name in self.changed_data]
        if self.instance.pk and changed and self.instance.points.exists():
            for name in changed:
                self.add_error(name, "This can’t change once a metric has values. Create another metric.")
        return values


class PageMetricForm(MetricForm):
    """A metric on its page. Only admins see the query; the pipeline and slug never change."""

    class Meta(MetricForm.Meta):
        fields: tuple[str, ...] = METRIC_FIELDS[2:]
        widgets = {
            "time_zone": forms.TextInput(attrs={"autocomplete": "off"}),
            "query": forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        }
        labels = {"query": "SQL query", "grain": "Granularity", "source": "Data source"}
        help_texts = {
            "time_zone": "Time zone of its days, such as Europe/Berlin.",
            "query": "One SELECT that returns day or hour, value and, optionally, segment.",
            "source": "Leave empty if values are pushed through the API.",
        }

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user.is_staff:
            source = cast("forms.ModelChoiceField[DataSource]", self.fields["source"])
            source.queryset, source.empty_label = sources(), "None"
        else:
            del self.fields["source"], self.fields["query"]

    def clean(self) -> dict[str, Any]:
        """Reject a data source without a query, and a query without a data source."""
        values = super().clean()
        if "query" in self.fields and not self.errors and bool(values.get("source")) != bool(values.get("query")):
            missing = "query" if values.get("source") else "source"
            self.add_error(missing, "Choose a data source and enter SQL, or leave both empty to push values.")
        return values


class NewMetricForm(PageMetricForm):
    """A new metric of a pipeline, with a slug from its name by default."""

    pipeline = forms.ModelChoiceField(
        Pipeline.objects.order_by("position", "pk"), to_field_name="slug", empty_label="Choose a pipeline"
    )
    slug = forms.SlugField(
        required=False,
        max_length=80,
        label="Slug",
        help_text="Lower-case letters, digits, dashes. Generated from the name if blank.",
    )

    class Meta(PageMetricForm.Meta):
        fields = ("pipeline", "name", "slug", *PageMetricForm.Meta.fields[1:])

    def clean(self) -> dict[str, Any]:
        """Reject a slug that is taken; generate one if it is blank."""
        values = super().clean()
        pipeline, name = values.get("pipeline"), values.get("name")
        if pipeline and name and "slug" not in self.errors:
            taken = set(Metric.objects.filter(pipeline=pipeline).values_list("slug", flat=True))
            if values.get("slug") in taken:
                self.add_error("slug", "Another metric of this pipeline uses this slug.")
            elif not values.get("slug"):
                values["slug"] = slug_for(name, taken)
        return values


class NewCheckForm(forms.Form):
    """The pipeline and type of a new check."""

    pipeline = forms.ModelChoiceField(Pipeline.objects.all(), to_field_name="slug", empty_label=None)
    check_type = forms.ChoiceField(label="Type", choices=check_type_choices, widget=forms.RadioSelect)

    def types(self) -> Iterator[tuple[BoundWidget, str]]:
        """Yield the radio button of each type with what the type checks."""
        for radio in self["check_type"]:
            yield radio, CHECK_TYPES[radio.data["value"]].summary


def parameter_field(parameter: Parameter) -> forms.Field:
    """Return the form field of a parameter. The check type parses its text."""
    options: dict[str, Any] = {
        "label": parameter.label,
        "help_text": parameter.help,
        "required": False,
    }
    if parameter.kind == "choice":
        return forms.ChoiceField(choices=parameter.choices, **options)
    if parameter.kind == "flag":
        return forms.BooleanField(**options)
    if parameter.kind == "weekdays":
        return forms.MultipleChoiceField(choices=WEEKDAYS, widget=CheckboxList(), **options)
    widgets: dict[str, forms.Widget] = {
        "lines": forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        "sql": forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        "amounts": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        "time": forms.TextInput(attrs={"type": "time"}),
        "date": forms.TextInput(attrs={"type": "date"}),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
        "integer": forms.TextInput(attrs={"inputmode": "numeric"}),
        "minutes": forms.TextInput(),
    }
    field_class = MultilineField if isinstance(widgets[parameter.kind], forms.Textarea) else LineField
    field = field_class(widget=widgets[parameter.kind], max_length=50_000, **options)
    # The form does not require it, because a disabled check may lack it.
    return mark_needed(field) if parameter.required else field


def _initial_value(parameter: Parameter, value: object) -> object:
    """Return a stored parameter as its form field shows it."""
    if value is None:
        value = parameter.default
    if parameter.kind == "minutes" and isinstance(value, int):
        return format_minutes(value)
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if parameter.kind == "lines" and isinstance(value, list):
        return "\n".join(str(line) for line in value)
    if parameter.kind == "amounts" and isinstance(value, Mapping):
        return "\n".join(
            f"{day} {amount:g}" if isinstance(amount, int) else f"{day} {amount}" for day, amount in value.items()
        )
    return value


class ParametersForm(forms.Form):
    """The parameters of a check type."""

    def __init__(self, *args: Any, check_type: str, parameters: Mapping[str, object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_type = check_type
        for parameter in CHECK_TYPES[check_type].declared_parameters:
            self.fields[PREFIX + parameter.name] = parameter_field(parameter)
            self.initial[PREFIX + parameter.name] = _initial_value(parameter, parameters.get(parameter.name))

    def parameters(self) -> dict[str, object]:
        """Return the raw parameters of a valid form; the check type validates them."""
        declared = CHECK_TYPES[self.check_type].declared_parameters
        return {parameter.name: self.cleaned_data[PREFIX + parameter.name] for parameter in declared}


class CheckForm(ParametersForm):
    """A check: parameters of its type, metrics, schedule and alerting."""

    name = LineField(max_length=120)
    metric = forms.ModelChoiceField(Metric.objects.none(), required=False, empty_label="None")
    other_metric = forms.ModelChoiceField(
        Metric.objects.none(), required=False, empty_label="None", help_text="Denominator, or metric to compare with."
    )
    source = forms.ModelChoiceField(
        DataSource.objects.defer("address"), required=False, empty_label="None", label="Data source"
    )
    query = MultilineField(
        required=False,
        max_length=20_000,
        label="SQL query",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        help_text="One read-only statement.",
    )
    severity = forms.ChoiceField(
        choices=Severity.choices, help_text="Warnings don’t open incidents; low severity waits for working hours."
    )
    interval_minutes = MinutesField(
        required=False,
        min_value=1,
        max_value=10_080,
        label="Run every",
        help_text="Such as 30 min or 6 h. Leave empty to use a cron expression.",
    )
    cron = LineField(
        required=False,
        max_length=100,
        label="Cron expression",
        help_text="In the metric’s time zone, such as 0 7 * * 1-5.",
    )
    settle_minutes = MinutesField(
        max_value=10_080,
        label="Evaluation delay",
        help_text="Time to wait after the end of a day or hour before evaluating it, such as 2 h.",
    )
    confirm = forms.IntegerField(
        min_value=1,
        max_value=20,
        label="Alert after failures",
        help_text="Number of failed results that opens an alert.",
    )
    confirm_of = forms.IntegerField(
        min_value=1,
        max_value=20,
        label="Among last results",
        help_text="Number of recent results in which failures are counted.",
    )
    cooldown_minutes = MinutesField(
        max_value=10_080, label="Cooldown", help_text="Minimum time between alerts, such as 1 d."
    )
    weekdays = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=WEEKDAYS,
        label="Expected days",
        widget=CheckboxList(),
        help_text="Days on which data is expected; none means every day.",
    )
    country = LineField(required=False, max_length=2, label="Country", help_text="For public holidays, such as DE.")
    holidays = forms.ChoiceField(label="On public holidays", choices=Holidays.choices)
    is_active = forms.BooleanField(required=False, label="Enabled")

    def __init__(self, *args: Any, check: Check, user: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(check, name) for name in self.base_fields})
        super().__init__(*args, check_type=check.check_type, parameters=check.parameters, **kwargs)
        metrics = Metric.objects.select_related("pipeline")
        self.fields["metric"].queryset = metrics.filter(pipeline=check.pipeline)  # type: ignore[attr-defined]  # a model's choice field
        self.fields["other_metric"].queryset = metrics  # type: ignore[attr-defined]  # as above
        if not user.is_staff or not (check.type.needs_query or check.type.accepts_query):
            del self.fields["source"], self.fields["query"]
        for name in _irrelevant_fields(check):
            del self.fields[name]
        needed = {"interval_minutes"} | ({"metric"} if check.type.needs_metric else set())
        if check.type.other_metric_problem(None):
            needed.add("other_metric")
        elif "other_metric" in self.fields and check.type.other_metric_label:
            self.fields["other_metric"].label = check.type.other_metric_label
            self.fields["other_metric"].help_text = check.type.other_metric_help
        for name in needed | ({"source", "query"} if check.type.needs_query else set()):
            if name in self.fields:
                mark_needed(self.fields[name])

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the visible fields under their headings, in order."""
        parameters = [name for name in self.fields if name.startswith(PREFIX)]
        groups = {
            "Data": ("name", "metric", "other_metric", "source", "query"),
            "Rule": tuple(parameters),
            "Schedule": ("interval_minutes", "cron", "settle_minutes", "weekdays", "holidays", "country"),
            "Alerts": ("severity", "confirm", "confirm_of", "cooldown_minutes", "is_active"),
        }
        return [
            (title, fields)
            for title, names in groups.items()
            if (fields := [self[n] for n in names if n in self.fields])
        ]

    def check_fields(self) -> dict[str, Any]:
        """Return the values of a valid form by model field."""
        fields = {name: value for name, value in self.cleaned_data.items() if not name.startswith(PREFIX)}
        if "country" in fields:
            fields["country"] = fields["country"].upper()
        return {**fields, "parameters": self.parameters()}


def _irrelevant_fields(check: Check) -> list[str]:
    """Return the fields that mean nothing to a check's type, except those that are set."""
    uses_other = check.type.other_metric_problem(None) or check.type.other_metric_label
    names = [] if uses_other else ["other_metric"]
    if check.type.needs_query:
        # Its query says which rows are evaluated.
        names += ["metric", "settle_minutes", "weekdays", "country", "holidays"]
    unset: dict[str, object] = {
        "metric": None,
        "other_metric": None,
        "settle_minutes": 0,
        "weekdays": [],
        "country": "",
    }
    unset["holidays"] = Holidays.ORDINARY
    return [name for name in names if getattr(check, name) == unset[name]]


class MuteForm(forms.Form):
    """How long to mute a check."""

    hours = forms.TypedChoiceField(label="Duration", choices=MUTE_HOURS, coerce=int)

    def until(self, at: dt.datetime) -> dt.datetime:
        """Return the end of a mute that starts at `at`."""
        return at + dt.timedelta(hours=self.cleaned_data["hours"])


class DateInput(forms.DateInput):
    """A native date picker."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class ExplainForm(forms.Form):
    """Form for a past day whose result the check's page explains."""

    day = DayField(widget=DateInput())


class KnownEventForm(forms.Form):
    """Dates on which unusual numbers are expected."""

    starts_on = DayField(label="First day", widget=DateInput())
    ends_on = DayField(label="Last day", widget=DateInput())
    name = LineField(max_length=120, label="Event", help_text="Such as Black Friday.")
    whole_pipeline = forms.BooleanField(required=False, label="Applies to every metric of the pipeline")

    def event(self) -> Event:
        """Return the event of a valid form."""
        values = self.cleaned_data
        return Event(values["starts_on"], values["ends_on"], values["name"])
