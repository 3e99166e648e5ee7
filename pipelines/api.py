"""The API's calls about pipelines."""

from typing import Any

from rest_framework import mixins, serializers, viewsets

from people.models import User
from people.permissions import AdminsChange
from pipelines import services
from pipelines.models import Pipeline
from pipelines.queries import ownership


class PipelineSerializer(serializers.ModelSerializer[Pipeline]):
    """A pipeline with its owners, by user name."""

    primary_owner = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.filter(is_active=True))
    secondary_owner = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.filter(is_active=True))

    class Meta:
        model = Pipeline
        fields: tuple[str, ...] = (
            "slug",
            "name",
            "audience",
            "primary_owner",
            "secondary_owner",
            "escalate_after_minutes",
        )
        read_only_fields = ("slug",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the fields; raise ValidationError where both owners are one person."""
        primary = attrs.get("primary_owner", self.instance.primary_owner if self.instance else None)
        secondary = attrs.get("secondary_owner", self.instance.secondary_owner if self.instance else None)
        if primary is not None and primary == secondary:
            raise serializers.ValidationError({"secondary_owner": ["Primary and secondary owner must be two people."]})
        return attrs

    def update(self, instance: Pipeline, validated_data: dict[str, Any]) -> Pipeline:
        """Return the pipeline with its fields changed."""
        services.update_pipeline(instance, fields=validated_data)
        return instance


class PipelineViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet[Pipeline]
):
    """Pipelines, by slug; admins change them."""

    serializer_class = PipelineSerializer
    permission_classes = [AdminsChange]
    queryset = ownership()
    lookup_field = "slug"
    lookup_value_regex = "[a-z0-9-]+"
    http_method_names = ["get", "head", "options", "patch"]
