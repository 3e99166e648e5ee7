"""Serializer fields for pipelines."""

from typing import Any

from rest_framework import serializers

from pipelines.models import Pipeline


class PipelineField(serializers.SlugRelatedField[Pipeline]):
    """A pipeline, identified by slug."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options["queryset"] = Pipeline.objects.all()
        super().__init__(slug_field="slug", **options)
