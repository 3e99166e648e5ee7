"""API of the incident reports."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.lists import paginate_list
from common.forms import form_errors
from incidents.forms import ReportForm
from incidents.queries.reports import pipeline_reports

SINCE = OpenApiParameter(
    "since", OpenApiTypes.DATE, description="A date in the first month; defaults to twelve months."
)
UNTIL = OpenApiParameter("until", OpenApiTypes.DATE, description="A date in the last month; defaults to this month.")
PIPELINE = OpenApiParameter("pipeline", OpenApiTypes.STR, description="Slug of a pipeline.")


class ReportSerializer(serializers.Serializer[Any]):
    """The incidents of a pipeline opened in a month (UTC); the seconds are medians, null if there are none."""

    month = serializers.DateField(format="%Y-%m", help_text="2026-11")
    pipeline = serializers.SlugField(source="pipeline.slug")
    incidents = serializers.IntegerField()
    acknowledged = serializers.IntegerField()
    resolved = serializers.IntegerField()
    seconds_to_acknowledge = serializers.IntegerField(allow_null=True)
    seconds_to_resolve = serializers.IntegerField(allow_null=True)


class ReportViewSet(viewsets.GenericViewSet[Any]):
    """Incident reports: the figures of the page and its CSV file."""

    serializer_class = ReportSerializer

    @extend_schema(parameters=[SINCE, UNTIL, PIPELINE], responses=ReportSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List a report for each pipeline and month with incidents, newest month first."""
        form = ReportForm(request.query_params)
        if not form.is_valid():
            raise form_errors(form)
        months = form.months(today=timezone.now().date())
        rows = pipeline_reports(months, pipeline=form.cleaned_data["pipeline"])
        return paginate_list(self, request, rows, serializer=ReportSerializer)
