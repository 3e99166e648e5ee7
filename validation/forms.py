"""What a person types about checks: the check itself with its type's parameters, a mute, a known event."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import forms

from people.domain.names import slug_for
from people.models import User
from pipelines.models import Pipeline
from validation.check_types import CHECK_TYPES
from validation.domain.parameters import Parameter
from validation.domain.sql import query_problem
from validation.models import Check, DataSource, Holidays, Metric, Severity
from validation.models.checks import check_type_choices
from validation.queries.checks import sources
from validation.services.known_events import Event

PREFIX = "parameters."
WEEKDAYS = list(enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")))
MUTES = (("1", "an hour"), ("4", "4 hours"), ("24", "a day"), ("72", "3 days"), ("168", "a week"), ("720", "30 days"))


class MetricForm(forms.ModelForm[Metric]):
    """A metric, whose query is one SELECT."""

    class Meta:
        model = Metric
        fields: tuple[str, ...] = ("pipeline", "slug", "name", "unit", "kind", "grain", "time_zone", "source", "query")

    def clean_query(self) -> str:
        """Return the query; raise ValidationError where it is no single SELECT."""
        query: str = self.cleaned_data["query"]
        problem = query_problem(query) if query else ""
        if problem:
            raise forms.ValidationError(problem)
        return query

    def clean(self) -> dict[str, Any]:
        """Return what was typed; refuse a grain or zone by which the buckets of stored points would mean others."""
        given: dict[str, Any] = super().clean() or {}
        changed = [name for name in ("grain", "time_zone") if name in self.changed_data]
        if self.instance.pk and changed and self.instance.points.exists():
            for name in changed:
                self.add_error(name, "It has points already, which mean this: make another metric.")
        return given


class PageMetricForm(MetricForm):
    """A metric as its page asks for it: in words, the SELECT of admins only; a metric stays of its pipeline, under its address."""

    class Meta(MetricForm.Meta):
        fields: tuple[str, ...] = ("name", "unit", "kind", "grain", "time_zone", "source", "query")
        widgets = {
            "time_zone": forms.TextInput(attrs={"autocomplete": "off"}),
            "query": forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        }
        labels = {"query": "SELECT", "grain": "One value for each"}
        help_texts = {
            "time_zone": "In which its days begin and end, such as Europe/Berlin.",
            "query": "One SELECT that returns the day or hour, the value and, if it has them, the segment.",
            "source": "The warehouse it is read from. None: a script sends its values.",
        }

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if person.is_staff:
            self.fields["source"].queryset = sources()  # type: ignore[attr-defined]  # a model's choice field
        else:
            del self.fields["source"], self.fields["query"]

    def clean(self) -> dict[str, Any]:
        """Return what was typed; refuse a source without a query, and a query without a source."""
        given = super().clean()
        if "query" in self.fields and not self.errors and bool(given.get("source")) != bool(given.get("query")):
            lacking = "query" if given.get("source") else "source"
            self.add_error(lacking, "Give both a source and a SELECT, or neither where a script sends its values.")
        return given


class NewMetricForm(PageMetricForm):
    """A metric that is to be: also of which pipeline, and by what it is addressed, made from its name where that is left out."""

    pipeline = forms.ModelChoiceField(
        Pipeline.objects.order_by("position", "pk"), to_field_name="slug", empty_label="Choose a pipeline"
    )
    slug = forms.SlugField(
        required=False,
        max_length=80,
        label="Name in addresses",
        help_text="Small letters, digits and dashes: daily-orders. Empty: made from the name.",
    )

    class Meta(PageMetricForm.Meta):
        fields = ("pipeline", "name", "slug", *PageMetricForm.Meta.fields[1:])

    def clean(self) -> dict[str, Any]:
        """Return what was typed, with a slug from the name where none was."""
        given = super().clean()
        pipeline, name = given.get("pipeline"), given.get("name")
        if pipeline and name and "slug" not in self.errors:
            taken = set(Metric.objects.filter(pipeline=pipeline).values_list("slug", flat=True))
            if given.get("slug") in taken:
                self.add_error("slug", "Another metric of this pipeline has it.")
            elif not given.get("slug"):
                given["slug"] = slug_for(name, taken)
        return given


class NewCheckForm(forms.Form):
    """Which pipeline, and which type: the rest is asked by type."""

    pipeline = forms.ModelChoiceField(Pipeline.objects.all(), to_field_name="slug", empty_label=None)
    check_type = forms.ChoiceField(label="Type", choices=check_type_choices)


def parameter_field(parameter: Parameter) -> forms.Field:
    """Return the field of a parameter: typed as text, and read by the type itself."""
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
        return forms.MultipleChoiceField(choices=WEEKDAYS, widget=forms.SelectMultiple(attrs={"size": 7}), **options)
    widgets: dict[str, forms.Widget] = {
        "lines": forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
        "sql": forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        "amounts": forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
        "time": forms.TextInput(attrs={"type": "time"}),
        "date": forms.TextInput(attrs={"type": "date"}),
        "number": forms.TextInput(attrs={"inputmode": "decimal"}),
        "integer": forms.TextInput(attrs={"inputmode": "numeric"}),
    }
    return forms.CharField(widget=widgets[parameter.kind], max_length=50_000, **options)


def _typed(parameter: Parameter, value: object) -> object:
    """Return a stored parameter as it is typed."""
    if value is None:
        return parameter.default if parameter.kind != "weekdays" else list(range(7))
    if parameter.kind == "lines" and isinstance(value, list):
        return "\n".join(str(one) for one in value)
    if parameter.kind == "amounts" and isinstance(value, Mapping):
        return "\n".join(
            f"{day} {amount:g}" if isinstance(amount, int) else f"{day} {amount}" for day, amount in value.items()
        )
    return value


class ParametersForm(forms.Form):
    """The parameters of a type of check."""

    def __init__(self, *args: Any, check_type: str, parameters: Mapping[str, object], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.check_type = check_type
        for one in CHECK_TYPES[check_type].declared_parameters:
            self.fields[PREFIX + one.name] = parameter_field(one)
            self.initial[PREFIX + one.name] = _typed(one, parameters.get(one.name))

    def parameters(self) -> dict[str, object]:
        """Return what was typed, once it is valid as a form; the type says whether it is right."""
        given = self.cleaned_data
        return {one.name: given[PREFIX + one.name] for one in CHECK_TYPES[self.check_type].declared_parameters}


class CheckForm(ParametersForm):
    """A check: its type's parameters, what it judges, when, and whom it may wake."""

    name = forms.CharField(max_length=120)
    metric = forms.ModelChoiceField(Metric.objects.none(), required=False, empty_label="None")
    other_metric = forms.ModelChoiceField(
        Metric.objects.none(), required=False, empty_label="None", help_text="To divide by, or to agree with."
    )
    source = forms.ModelChoiceField(DataSource.objects.defer("address"), required=False, empty_label="None")
    query = forms.CharField(
        required=False,
        max_length=20_000,
        label="SELECT",
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "code-input"}),
        help_text="One statement that reads only.",
    )
    severity = forms.ChoiceField(choices=Severity.choices, help_text="A check that warns opens no incident.")
    interval_minutes = forms.IntegerField(
        required=False, min_value=1, max_value=10_080, label="Every (minutes)", help_text="Or give a cron line."
    )
    cron = forms.CharField(
        required=False, max_length=100, label="Cron line", help_text="In the metric’s zone: 0 7 * * 1-5"
    )
    settle_minutes = forms.IntegerField(
        min_value=0,
        max_value=10_080,
        label="Judged after (minutes)",
        help_text="How long after the end of its day or hour a value is judged.",
    )
    confirm = forms.IntegerField(
        min_value=1, max_value=20, label="Confirmed by", help_text="So many results must fail …"
    )
    confirm_of = forms.IntegerField(min_value=1, max_value=20, label="Of the last", help_text="… of the last so many.")
    cooldown_minutes = forms.IntegerField(
        min_value=0, max_value=10_080, label="Cooldown (minutes)", help_text="No new alert so long after one ended."
    )
    weekdays = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=WEEKDAYS,
        label="Data is expected on",
        widget=forms.SelectMultiple(attrs={"size": 7}),
        help_text="None chosen: every day.",
    )
    country = forms.CharField(
        required=False, max_length=2, label="Country", help_text="Of the public holidays, such as DE."
    )
    holidays = forms.ChoiceField(label="Public holidays are", choices=Holidays.choices)
    is_active = forms.BooleanField(required=False, label="Switched on")

    def __init__(self, *args: Any, check: Check, person: User, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {name: getattr(check, name) for name in self.base_fields})
        super().__init__(*args, check_type=check.check_type, parameters=check.parameters, **kwargs)
        metrics = Metric.objects.select_related("pipeline")
        self.fields["metric"].queryset = metrics.filter(pipeline=check.pipeline)  # type: ignore[attr-defined]  # a model's choice field
        self.fields["other_metric"].queryset = metrics  # type: ignore[attr-defined]  # as above
        if not person.is_staff or not check.type.needs_query:
            del self.fields["source"], self.fields["query"]
        own = [PREFIX + one.name for one in check.type.declared_parameters]
        self.order_fields(["name", "metric", "other_metric", "source", "query", *own])

    def given(self) -> dict[str, Any]:
        """Return what was typed, by the check's fields, once it is valid as a form."""
        fields = {name: value for name, value in self.cleaned_data.items() if not name.startswith(PREFIX)}
        return {**fields, "country": fields["country"].upper(), "parameters": self.parameters()}


class MuteForm(forms.Form):
    """For how long a check is quiet."""

    hours = forms.TypedChoiceField(label="For", choices=MUTES, coerce=int)

    def until(self, at: dt.datetime) -> dt.datetime:
        """Return the mute's end, once the form is valid."""
        return at + dt.timedelta(hours=self.cleaned_data["hours"])


class DatePicker(forms.DateInput):
    """A date as browsers let one choose it."""

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs={"type": "date"})


class KnownEventForm(forms.Form):
    """Dates on which a number may well be unusual."""

    starts_on = forms.DateField(label="First day", widget=DatePicker())
    ends_on = forms.DateField(label="Last day", widget=DatePicker())
    words = forms.CharField(max_length=120, label="What it is", help_text="Such as Black Friday.")
    whole_pipeline = forms.BooleanField(required=False, label="For every metric of the pipeline")

    def event(self) -> Event:
        """Return what was typed, once it is valid."""
        given = self.cleaned_data
        return Event(given["starts_on"], given["ends_on"], given["words"])
