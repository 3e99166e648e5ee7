"""The API's router: every room's calls under `/api/v1/`, with their OpenAPI description."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from handoffs.api import ActionItemViewSet, FeedViewSet, HandoffViewSet
from incidents.api import AlertViewSet, IncidentViewSet, ReportViewSet, alertmanager
from notifications.api import MessageViewSet, how_told
from oncall_site.api_docs import docs
from oncall_site.people_api import InvitedEngineerViewSet
from oncall_site.pipelines_api import JoinedPipelineViewSet, ResponderViewSet
from people.api import profile
from runbooks.api import RunbookViewSet
from scheduling.api import (
    CoverViewSet,
    HolidayViewSet,
    OnCallViewSet,
    RotationViewSet,
    SwapViewSet,
    calendar_link,
)
from validation.api import (
    CheckViewSet,
    ExternalCheckViewSet,
    KnownEventViewSet,
    MetricViewSet,
    ResultViewSet,
    RunViewSet,
    integration,
    metric,
    points,
)

router = SimpleRouter()
router.register("people", InvitedEngineerViewSet, basename="api-person")
router.register("pipelines", JoinedPipelineViewSet, basename="api-pipeline")
router.register("responders", ResponderViewSet, basename="api-responder")
router.register("oncall", OnCallViewSet, basename="api-oncall")
router.register("rotations", RotationViewSet, basename="api-rotation")
router.register("holidays", HolidayViewSet, basename="api-holiday")
router.register("swaps", SwapViewSet, basename="api-swap")
router.register("covers", CoverViewSet, basename="api-cover")
router.register("incidents", IncidentViewSet, basename="api-incident")
router.register("reports/incidents", ReportViewSet, basename="api-report")
router.register("alerts", AlertViewSet, basename="api-alert")
router.register("messages", MessageViewSet, basename="api-message")
router.register("handoffs", HandoffViewSet, basename="api-handoff")
router.register("action-items", ActionItemViewSet, basename="api-action-item")
router.register("feeds", FeedViewSet, basename="api-feed")
router.register("runbooks", RunbookViewSet, basename="api-runbook")
router.register("metrics", MetricViewSet, basename="api-metric")
router.register("checks", CheckViewSet, basename="api-check")
router.register("results", ResultViewSet, basename="api-result")
router.register("runs", RunViewSet, basename="api-run")
router.register("known-events", KnownEventViewSet, basename="api-known-event")
router.register("external-checks", ExternalCheckViewSet, basename="api-external-check")


@extend_schema(exclude=True)
@api_view(["GET", "POST", "PUT", "PATCH", "DELETE"])
def nothing_here(request: Request, rest: str) -> Response:
    """Answer a path the API does not have with 404 in its own format."""
    raise NotFound(f"There is no {rest} in this API. Its calls are listed at /api/v1/docs/.")


urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", docs, name="api-docs"),
    path("me/", profile, name="api-profile"),
    path("me/notifications/", how_told, name="api-how-told"),
    path("calendar-link/", calendar_link, name="api-calendar-link"),
    path("integrations/alertmanager/", alertmanager, name="api-alertmanager"),
    path("integrations/<slug:kind>/", integration, name="api-integration"),
    path("metrics/<slug:pipeline>/<slug:slug>/", metric, name="api-metric-detail"),
    path("metrics/<slug:pipeline>/<slug:slug>/points/", points, name="api-points"),
    path("", include(router.urls)),
    re_path(r"^(?P<rest>.*)$", nothing_here),
]
