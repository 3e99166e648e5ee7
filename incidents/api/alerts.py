"""The API's calls about alerts: Alertmanager's webhook, and what it said last."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import api_view, parser_classes
from rest_framework.request import Request
from rest_framework.response import Response

from common.exceptions import InvalidInputError
from incidents.models import Alert
from incidents.queries import incidents
from incidents.services.alerts import ingest_alerts
from pipelines.models import Pipeline
from validation.api.external import RawJsonParser
from validation.importers.alertmanager import read_alerts
from validation.importers.results import UnreadableFileError


class TakenSerializer(serializers.Serializer[Any]):
    """What a webhook brought: alerts that fire with an incident, incidents that it closed, alerts that belong to no pipeline."""

    firing = serializers.IntegerField()
    closed = serializers.IntegerField()
    unmapped = serializers.ListField(child=serializers.CharField())


@extend_schema(request=OpenApiTypes.OBJECT, responses=TakenSerializer)
@api_view(["POST"])
@parser_classes([RawJsonParser])
def alertmanager(request: Request) -> Response:
    """Take a webhook of Alertmanager, version 4: firing opens an incident, resolved closes it, by fingerprint."""
    posted = request.data
    document = posted.get("document") if isinstance(posted, dict) else None
    try:
        alerts = read_alerts(document)
    except UnreadableFileError as unreadable:
        raise InvalidInputError({"file": [str(unreadable)]}) from unreadable
    return Response(TakenSerializer(ingest_alerts(alerts, at=timezone.now())).data)


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """What Alertmanager said last of an alert; `pipeline` is null where nothing says whose it is."""

    pipeline = serializers.SlugRelatedField[Pipeline](slug_field="slug", read_only=True)
    firing = serializers.BooleanField(source="is_firing")
    labels = serializers.DictField()

    class Meta:
        model = Alert
        fields = (
            "id",
            "fingerprint",
            "name",
            "summary",
            "severity",
            "labels",
            "pipeline",
            "firing",
            "starts_at",
            "ends_at",
            "received_at",
        )


@extend_schema(
    parameters=[OpenApiParameter("unmapped", OpenApiTypes.BOOL, description="Those that belong to no pipeline.")]
)
class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alert]):
    """Alerts, newest first."""

    serializer_class = AlertSerializer
    queryset = incidents.alerts()
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[Alert]:
        """Return the alerts that are asked about."""
        rows = incidents.alerts()
        return rows.unmapped() if self.request.query_params.get("unmapped", "").casefold() in ("1", "true") else rows
