"""Serializer fields for metrics."""

import re
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.fields import NamedField
from validation.models import DataSource, Metric

METRIC_NAME = re.compile(r"\A[a-z0-9-]{1,80}/[a-z0-9-]{1,80}\Z")


@extend_schema_field(OpenApiTypes.STR)
class MetricField(serializers.RelatedField[Metric, str, str]):
    """A metric, as `pipeline/metric`."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options["queryset"] = Metric.objects.select_related("pipeline")
        super().__init__(**options)

    def to_representation(self, value: Metric) -> str:  # type: ignore[override]  # only a hyperlink gets a bare key
        """Return both slugs."""
        return f"{value.pipeline.slug}/{value.slug}"

    def to_internal_value(self, data: Any) -> Metric:
        """Return the metric; raise ValidationError if there is none."""
        metric = None
        if isinstance(data, str) and METRIC_NAME.match(data):
            pipeline, _, slug = data.partition("/")
            metric = Metric.objects.select_related("pipeline").filter(pipeline__slug=pipeline, slug=slug).first()
        if metric is None:
            raise serializers.ValidationError("Unknown metric. Use pipeline/metric.")
        return metric


class DataSourceField(NamedField[DataSource]):
    """A data source, identified by name."""

    def __init__(self, **options: Any) -> None:
        rows = DataSource.objects.defer("address")
        super().__init__(noun="data source", slug_field="name", queryset=rows, **options)
