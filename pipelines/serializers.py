"""Serializer fields for pipelines."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.fields import NamedField
from pipelines.models import Pipeline

MAX_PIPELINES = 1_000


class PipelineField(NamedField[Pipeline]):
    """A pipeline, identified by slug."""

    def __init__(self, **options: Any) -> None:
        super().__init__(noun="pipeline", queryset=Pipeline.objects.all(), **options)


@extend_schema_field({"type": "array", "items": {"type": "string"}, "maxItems": MAX_PIPELINES})
class PipelinesField(serializers.ManyRelatedField):
    """One or more pipelines, identified by slug. One statement reads them all."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child_relation=PipelineField(), allow_empty=False, **options)

    def to_internal_value(self, data: Any) -> Sequence[Pipeline]:
        """Return the pipelines in the order given; raise ValidationError for more than MAX_PIPELINES or an unknown one."""
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not data:
            self.fail("empty")
        if len(data) > MAX_PIPELINES:
            raise serializers.ValidationError(f"At most {MAX_PIPELINES:,} pipelines.")
        slugs = list(dict.fromkeys(slug if isinstance(slug, str) else "" for slug in data))
        rows = Pipeline.objects.in_bulk([slug.replace("\0", "") for slug in slugs], field_name="slug")
        for slug in slugs:
            if slug not in rows:
                raise serializers.ValidationError(
                    f"Unknown pipeline “{slug}”." if slug else "Each item must be the slug of a pipeline."
                )
        return [rows[slug] for slug in slugs]
