"""API of alerts: Alertmanager's webhook, and the last state of each alert."""

from typing import Any

from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import api_view, parser_classes
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.filters import BooleanFilter, IdFilter, ListFilterBackend
from common.exceptions import InvalidInputError
from common.identifiers import ID_PATTERN
from incidents.models import Alert, Incident
from incidents.queries import incidents
from incidents.services.alerts import ingest_alerts
from pipelines.models import Pipeline
from validation.api.external import RawJsonParser
from validation.importers.alertmanager import read_alerts
from validation.importers.results import UnreadableFileError


class AlertBatchSerializer(serializers.Serializer[Any]):
    """What a webhook did: alerts firing with an incident, incidents resolved, and the alerts without an effect."""

    firing = serializers.IntegerField(help_text="Number of firing alerts with an incident.")
    closed = serializers.IntegerField(help_text="Number of incidents resolved.")
    unmapped = serializers.ListField(
        child=serializers.CharField(), help_text="Fingerprints of alerts without a pipeline."
    )
    ignored = serializers.ListField(
        child=serializers.CharField(),
        help_text="Fingerprints of alerts whose `status` is neither `firing` nor `resolved`.",
    )


@extend_schema(request=OpenApiTypes.OBJECT, responses=AlertBatchSerializer)
@api_view(["POST"])
@parser_classes([RawJsonParser])
def alertmanager(request: Request) -> Response:
    """Receive an Alertmanager webhook, version 4: a firing alert opens an incident, a resolved one resolves it."""
    body = request.data
    document = body.get("document") if isinstance(body, dict) else None
    try:
        alerts = read_alerts(document)
    except UnreadableFileError as error:
        raise InvalidInputError({"file": [str(error)]}) from error
    return Response(AlertBatchSerializer(ingest_alerts(alerts, at=timezone.now())).data)


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """The last state of an alert; `pipeline` is null if it maps to none."""

    pipeline = serializers.SlugRelatedField[Pipeline](slug_field="slug", read_only=True)
    incident = serializers.PrimaryKeyRelatedField[Incident](read_only=True)
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
            "incident",
            "firing",
            "starts_at",
            "ends_at",
            "received_at",
        )


class AlertFilter(FilterSet):
    """Filters of the list."""

    firing = BooleanFilter(field_name="is_firing")
    incident = IdFilter(noun="incident", queryset=Incident.objects.order_by("pk"), help_text="ID of an incident.")
    unmapped = BooleanFilter(field_name="pipeline", lookup_expr="isnull", help_text="Alerts without a pipeline.")


class AlertViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Alert]):
    """Alerts, newest first."""

    serializer_class = AlertSerializer
    queryset = incidents.alerts()
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = AlertFilter
