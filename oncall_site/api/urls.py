"""URLs of the API under `/api/v1/`."""

from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, renderer_classes
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from calendar_feeds.api import FeedViewSet
from common.api.description import openapi_description
from common.identifiers import SLUG_PATTERN
from handoffs.api.action_items import ActionItemViewSet
from handoffs.api.handoffs import HandoffViewSet
from incidents.api.alerts import AlertViewSet, alertmanager
from incidents.api.drills import DrillViewSet
from incidents.api.events import changes, events
from incidents.api.evidence import RunbookEvidenceViewSet
from incidents.api.incidents import IncidentViewSet
from incidents.api.integration_keys import IntegrationKeyViewSet
from incidents.api.maintenance import MaintenanceWindowViewSet
from incidents.api.reports import ReportViewSet
from lineage.api import DbtNodeViewSet, OwnerDriftViewSet, lineage
from notifications.api.contact_methods import ContactMethodViewSet
from notifications.api.notifications import (
    MessageViewSet,
    notification_preferences,
    notification_rules,
    send_test_message,
)
from notifications.api.push_devices import PushDeviceViewSet, push_key
from oncall_site.api.docs import docs
from oncall_site.api.people import PersonViewSet
from oncall_site.api.pipelines import PipelineViewSet, ResponderViewSet
from oncall_site.api.profile import profile
from readiness.api.readers import ReadersLinkViewSet, reader_note
from readiness.api.readiness import readiness
from readiness.api.restatements import RestatementViewSet
from runbooks.api import RunbookViewSet
from scheduling.api.calendar_links import calendar_link
from scheduling.api.cover_requests import CoverRequestViewSet
from scheduling.api.covers import CoverViewSet
from scheduling.api.holidays import HolidayViewSet
from scheduling.api.rotations import OnCallViewSet, RotationViewSet
from scheduling.api.swaps import SwapViewSet
from team_channels.api.channels import PipelineChannelViewSet, RotationChannelViewSet
from validation.api.checks import CheckViewSet, ResultViewSet
from validation.api.events import KnownEventViewSet, RunViewSet
from validation.api.external import ExternalCheckViewSet, integration
from validation.api.metrics import MetricViewSet, metric, points

router = SimpleRouter()
router.register("people", PersonViewSet, basename="api-person")
router.register("pipelines", PipelineViewSet, basename="api-pipeline")
router.register(f"pipelines/(?P<slug>{SLUG_PATTERN})/channels", PipelineChannelViewSet, basename="api-pipeline-channel")
router.register(f"rotations/(?P<slug>{SLUG_PATTERN})/channels", RotationChannelViewSet, basename="api-rotation-channel")
router.register("responders", ResponderViewSet, basename="api-responder")
router.register("oncall", OnCallViewSet, basename="api-oncall")
router.register("rotations", RotationViewSet, basename="api-rotation")
router.register("holidays", HolidayViewSet, basename="api-holiday")
router.register("swaps", SwapViewSet, basename="api-swap")
router.register("covers", CoverViewSet, basename="api-cover")
router.register("cover-requests", CoverRequestViewSet, basename="api-cover-request")
router.register("incidents/drills", DrillViewSet, basename="api-drill")
router.register("incidents", IncidentViewSet, basename="api-incident")
router.register("reports/incidents", ReportViewSet, basename="api-report")
router.register("alerts", AlertViewSet, basename="api-alert")
router.register("maintenance-windows", MaintenanceWindowViewSet, basename="api-maintenance-window")
router.register("integration-keys", IntegrationKeyViewSet, basename="api-integration-key")
router.register("messages", MessageViewSet, basename="api-message")
router.register("me/contact-methods", ContactMethodViewSet, basename="api-contact-method")
router.register("me/push-devices", PushDeviceViewSet, basename="api-push-device")
router.register("handoffs", HandoffViewSet, basename="api-handoff")
router.register("action-items", ActionItemViewSet, basename="api-action-item")
router.register("feeds", FeedViewSet, basename="api-feed")
router.register("readers-links", ReadersLinkViewSet, basename="api-readers-link")
router.register("restatements", RestatementViewSet, basename="api-restatement")
router.register("runbooks", RunbookViewSet, basename="api-runbook")
router.register("runbooks", RunbookEvidenceViewSet, basename="api-runbook-evidence")
router.register("metrics", MetricViewSet, basename="api-metric")
router.register("checks", CheckViewSet, basename="api-check")
router.register("results", ResultViewSet, basename="api-result")
router.register("runs", RunViewSet, basename="api-run")
router.register("known-events", KnownEventViewSet, basename="api-known-event")
router.register("dbt-nodes", DbtNodeViewSet, basename="api-dbt-node")
router.register("owner-drift", OwnerDriftViewSet, basename="api-owner-drift")
router.register("external-checks", ExternalCheckViewSet, basename="api-external-check")


@extend_schema(exclude=True)
@api_view(["GET"])
# JSON first: it is what a client without an Accept header gets, and YAML parsers read it too.
@renderer_classes([OpenApiJsonRenderer2, OpenApiJsonRenderer, OpenApiYamlRenderer, OpenApiYamlRenderer2])
def api_schema(request: Request) -> Response:
    """Return the OpenAPI description."""
    name = f"openapi.{request.accepted_renderer.format}"
    return Response(openapi_description(), headers={"Content-Disposition": f'inline; filename="{name}"'})


@extend_schema(exclude=True)
@api_view(["GET", "POST", "PUT", "PATCH", "DELETE"])
def api_not_found(request: Request, rest: str) -> Response:
    """Return 404 as JSON for an unknown path."""
    raise NotFound(f"Unknown path: {rest}. See /api/v1/docs/ for the available calls.")


urlpatterns: list[URLPattern | URLResolver] = [
    path("schema/", api_schema, name="api-schema"),
    path("docs/", docs, name="api-docs"),
    path("me/", profile, name="api-profile"),
    path("me/notifications/", notification_preferences, name="api-notifications"),
    path("me/notification-rules/", notification_rules, name="api-notification-rules"),
    path("me/test-message/", send_test_message, name="api-test-message"),
    path("me/push-key/", push_key, name="api-push-key"),
    path("calendar-link/", calendar_link, name="api-calendar-link"),
    path("integrations/alertmanager/", alertmanager, name="api-alertmanager"),
    path("integrations/events/", events, name="api-events"),
    # Where PagerDuty's clients post to if their base URL is the address above.
    path("integrations/events/v2/enqueue", extend_schema(exclude=True)(events), name="api-events-enqueue"),
    path("integrations/events/v2/change/enqueue", changes, name="api-changes"),
    path("integrations/<slug:kind>/", integration, name="api-integration"),
    path("pipelines/<slug:slug>/lineage/", lineage, name="api-lineage"),
    path("metrics/<slug:pipeline>/<slug:slug>/", metric, name="api-metric-detail"),
    path("metrics/<slug:pipeline>/<slug:slug>/points/", points, name="api-points"),
    path("pipelines/<slug:slug>/readiness/", readiness, name="api-readiness"),
    path("pipelines/<slug:slug>/readers-note/", reader_note, name="api-readers-note"),
    path("", include(router.urls)),
    # Also for a path with a line break in it.
    re_path(r"^(?P<rest>[\s\S]*)\Z", api_not_found),
]
