"""The number of SQL statements of a page or list does not grow with its rows."""

import datetime as dt
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendar_feeds.models import FeedToken
from calendar_feeds.services import MAX_FEEDS_PER_USER
from handoffs.models import Handoff, HandoffNote
from handoffs.services.action_items import add_item
from incidents.models import Alert, Incident, IntegrationKey, MaintenanceWindow
from incidents.services.alerts import ingest_alerts
from incidents.services.evidence import approve_query, request_evidence
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from lineage.models import DbtExposure, DbtNode, DbtProject
from notifications.models import PushDevice, SlackMember
from notifications.services.outbox import enqueue
from people.models import ApiToken
from people.services.accounts import create_token
from pipelines.models import Pipeline
from runbooks.models import Runbook
from runbooks.services import save_revision
from scheduling.models import Rotation
from scheduling.services.cover_requests import CoverProposal, accept_cover_request, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.factories import bearer, make_engineer, make_pipeline, make_runbook, rolled_back
from tests.memory import clear_memory
from tests.notifications.news import News
from tests.security.permission_matrix import ALERT, ALERTS
from tests.thorough import THOROUGH
from validation.importers.alertmanager import read_alerts
from validation.models import DataSource, MappingRule, Metric
from validation.services.checks import create_check
from validation.services.data_sources import create_data_source
from validation.services.external_results import record_file, save_mapping_rule
from validation.services.known_events import Event, add_known_event
from validation.services.pipeline_runs import Run, report_run
from validation.services.points import NewPoint, push_points

# On one worker of xdist, so that the rows are made once.
pytestmark = pytest.mark.xdist_group("query counts")

# Five rows are enough to find a statement for each row, and creating thirty takes six times as long.
MANY = 30 if THOROUGH else 5

# Not today: a holiday of someone on call adds to Now.
HOLIDAY = timezone.now().date() + dt.timedelta(days=40)
PAGES = [
    "/",
    "/schedule/",
    "/schedule/?weeks=26",
    "/schedule/rotation-0/details/",
    "/swaps/",
    "/fairness/",
    "/incidents/",
    "/incidents/reports/",
    "/incidents/alerts/",
    "/admin/incidents/incident/",
    "/admin/incidents/runbookrun/",
    "/admin/incidents/alert/",
    "/admin/incidents/evidence/",
    "/admin/incidents/queryapproval/",
    "/handoffs/",
    "/me/feeds/",
    "/calendar/{month}/",
    "/pipelines/",
    "/pipelines/pipeline-0/",
    "/pipelines/pipeline-0/maintenance/",
    "/pipelines/pipeline-0/integration-keys/",
    "/runbooks/",
    "/runbooks/pipeline-0/",
    "/runbooks/pipeline-0/revisions/",
    "/search/?q=useful",
    "/checks/external/",
    "/lineage/drift/",
    "/lineage/unmapped/",
    "/admin/lineage/dbtnode/",
    "/checks/",
    "/admin/validation/check/",
    "/admin/validation/metric/",
    "/admin/validation/datasource/",
    "/admin/validation/knownevent/",
    "/admin/validation/reportedrun/",
    "/me/",
    "/me/profile/",
    "/me/tokens/",
    "/me/security/",
    "/people/person-0-0/",
    "/people/",
    "/search/?q=engineer",
    "/search/?q=e&palette=1",
    "/me/notifications/",
    "/me/offline/",
    "/admin/notifications/pushdevice/",
    "/admin/notifications/slackmember/",
    "/admin/pipelines/pipeline/",
    "/admin/pipelines/pipeline/ownership/",
    "/admin/people/user/",
    "/admin/people/apitoken/",
    "/admin/runbooks/runbook/",
    "/admin/handoffs/handoff/",
    "/admin/handoffs/actionitem/",
    "/admin/calendar_feeds/feedtoken/",
    "/admin/notifications/message/",
    "/admin/validation/externalcheck/",
    "/admin/validation/mappingrule/",
]
CALLS = [
    "dbt-nodes/",
    "owner-drift/",
    "holidays/",
    "swaps/",
    "covers/",
    "cover-requests/",
    "incidents/",
    "reports/incidents/",
    "alerts/",
    "maintenance-windows/",
    "integration-keys/",
    "handoffs/",
    "action-items/",
    "feeds/",
    "responders/",
    "oncall/",
    "rotations/",
    "people/",
    "pipelines/",
    "messages/",
    "me/push-devices/",
    "runbooks/",
    "external-checks/",
    "metrics/",
    "metrics/pipeline-0/users-0/points/",
    "checks/",
    "known-events/",
    "runs/",
    "runbooks/pipeline-0/revisions/",
    "runbooks/pipeline-0/evidence/",
    "runbooks/pipeline-0/steps/",
]


def fill(admin, *, rows):
    """Bring the site to that many pipelines, each with a runbook, an owner of its own and a token."""
    there = Pipeline.objects.count()
    people = [make_engineer(f"Person {there} {row}") for row in range(rows - there + 1)]
    for row, (primary, secondary) in enumerate(pairwise(people), start=there):
        pipeline = make_pipeline(f"Pipeline {row}", primary=primary, secondary=secondary, position=row)
        make_runbook(pipeline, "### Troubleshooting Steps\n\n1. Be useful.\n", author=primary)
        create_token(admin, name=f"token {row}")
        create_holiday(primary, data=HolidayData(HOLIDAY, HOLIDAY), by=primary)
        add_messages(row, person=admin)
        add_push_device(row, person=admin)
        add_external_check(row, pipeline=pipeline)
        add_lineage(row, pipeline=pipeline, owner=secondary)
        add_alert(row, pipeline=pipeline)
        add_maintenance(row, pipeline=pipeline, admin=admin)
        add_check(row, pipeline=pipeline, admin=admin)
        rotation = add_rotation(row, engineers=[primary, secondary], admin=admin)
        join_rotation(rotation, pipelines=[pipeline])
        incident = open_incident(
            pipeline, what=NewIncident(kind="issue", title=f"No. {row}"), by=admin, at=timezone.now()
        )
        start_run(incident, by=admin, at=timezone.now())
        acknowledge(incident, by=primary, at=timezone.now())
    add_hand_offs(admin)
    add_evidence(admin)


def add_evidence(admin):
    """Give the first runbook a block of each data source, approve their queries, and request the evidence."""
    at = timezone.now()
    runbook = Runbook.objects.select_related("pipeline").get(pipeline__slug="pipeline-0")
    sources = DataSource.objects.order_by("pk")
    blocks = "".join(
        f"{number}. Be useful.\n   ```sql source={source.name}\n   SELECT 1\n   ```\n   check: check-{number - 1}\n"
        for number, source in enumerate(sources, start=1)
    )
    save_revision(runbook, markdown=f"### Troubleshooting Steps\n\n{blocks}", based_on=runbook.revision, author=admin)
    for source in sources:
        approve_query(source, query="SELECT 1", by=admin, at=at)
    request_evidence(at=at)


def add_messages(row, *, person):
    """Add a message to somebody."""
    at = timezone.now()
    enqueue([person], News(str(row)), due_at=at, expires_at=at + dt.timedelta(days=1))


def add_push_device(row, *, person):
    """Add a device with push to somebody."""
    fields = {"endpoint": "x", "service": "x", "p256dh": "x", "auth": "x"}
    PushDevice.objects.create(person=person, name=f"Device {row}", endpoint_digest=f"{row}", **fields)
    member = {"email": f"{row}@example.org", "slack_id": f"U{row}", "looked_up_at": timezone.now()}
    SlackMember.objects.get_or_create(person=person, defaults=member)


def add_maintenance(row, *, pipeline, admin):
    """Add a maintenance window of the pipeline, one of the first pipeline, and an integration key of each."""
    starts_at = timezone.now() + dt.timedelta(days=row + 1)
    for where in {pipeline, Pipeline.objects.get(slug="pipeline-0")}:
        MaintenanceWindow.objects.create(
            pipeline=where,
            starts_at=starts_at,
            ends_at=starts_at + dt.timedelta(hours=1),
            reason="Migration",
            created_by=admin,
        )
        IntegrationKey.objects.create(
            pipeline=where, name=f"Tool {row}", prefix="abc", digest=f"{where.pk} {row}", created_by=admin
        )


def add_external_check(row, *, pipeline):
    """Add a rule of the pipeline, a check that it gives to it, and one that waits for a rule."""
    save_mapping_rule(MappingRule(pattern=f"dag-{row}/*", pipeline=pipeline))
    for dag in (f"dag-{row}", f"other-{row}"):
        document = {"version": 1, "dag_id": dag, "task_id": "load", "state": "success"}
        record_file("airflow", document=document, at=timezone.now())


def add_lineage(row, *, pipeline, owner):
    """Add a node whose owner in the code is another person, an exposure of the first pipeline, and an unmapped node."""
    at = timezone.now()
    project, _ = DbtProject.objects.get_or_create(
        name="shop", schema=12, defaults={"generated_at": at, "imported_at": at}
    )
    first = Pipeline.objects.get(slug="pipeline-0")
    DbtNode.objects.create(
        project=project,
        key=f"model.shop.m{row}",
        kind="model",
        name=f"m{row}",
        pipeline=pipeline,
        owner_name=str(owner),
    )
    DbtNode.objects.create(project=project, key=f"model.shop.u{row}", kind="model", name=f"u{row}", reason="No rule.")
    exposure = DbtExposure.objects.create(project=project, key=f"exposure.shop.e{row}", name=f"Report {row}")
    exposure.pipelines.add(first)


def add_alert(row, *, pipeline):
    """Add an alert of the pipeline, with its incident, and one of none."""
    for name in (pipeline.slug, "nothing"):
        labels = {"alertname": f"Late {row}", "pipeline": name}
        alert = {**ALERT, "labels": labels, "fingerprint": f"{name}-{row}"}
        ingest_alerts(read_alerts({**ALERTS, "alerts": [alert]}), at=timezone.now())


def add_check(row, *, pipeline, admin):
    """Add a metric with a point and an event, a check of it, and a run; to the first pipeline one more of each."""
    at = timezone.now()
    source = create_data_source(name=f"Source {row}", address="sqlite:////nowhere.sqlite", by=admin)
    for where in {pipeline, Pipeline.objects.get(slug="pipeline-0")}:
        metric = Metric.objects.create(
            pipeline=where, slug=f"users-{row}", name=f"Users {row}", source=source, query="SELECT 1, 2"
        )
        fields = {
            "name": f"Check {row}",
            "check_type": "ratio",
            "metric": metric,
            "other_metric": metric,
            "parameters": {"fail_below": 1},
        }
        create_check(where, fields=fields, by=admin, at=at)
        add_known_event(where, metric=metric, event=Event(at.date(), at.date(), "Sale"), by=admin, at=at)
        report_run(where, run=Run(f"run {row}", "succeeded"), at=at)
        first = Metric.objects.order_by("pk").first()
        push_points(first, points=[NewPoint(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), row, f"segment {row}")], at=at)


def add_rotation(row, *, engineers, admin):
    """Add a rotation of two with weeks, an open and an accepted swap, a cover, and open and partly accepted cover requests."""
    at = timezone.now()
    text = RotationText(f"Rotation {row}", "", "Policy", "", ())
    rotation = import_rotation(text, time_zone="UTC")
    monday = (at - dt.timedelta(days=at.weekday() + 7)).date()
    set_roster(rotation, engineers=engineers, starts_on=monday, at=at)
    weeks = list(rotation.weeks.filter(starts_at__gt=at).order_by("starts_on").select_related("engineer"))
    request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=admin, at=at)
    accept_swap(
        request_swap(rotation, proposal=SwapProposal(weeks[2].starts_on, weeks[3].starts_on), by=admin, at=at),
        by=admin,
        at=at,
    )
    span = CoverData(admin, weeks[1].starts_at, weeks[1].ends_at)
    create_cover(rotation, data=span, by=admin, at=at)
    begin, end, day = weeks[4].starts_at, weeks[4].ends_at, dt.timedelta(days=1)
    request_cover(rotation, proposal=CoverProposal(begin, begin + day), by=admin, at=at)
    partly = request_cover(rotation, proposal=CoverProposal(begin + day, end), by=admin, at=at)
    accept_cover_request(partly, by=admin, at=at, engineer=admin, ends_at=end - day)
    return rotation


def add_hand_offs(admin):
    """Give every rotation hand-offs of which the last is unsigned, with a note, an action item and, up to the most, a feed."""
    at = timezone.now()
    for rotation in Rotation.objects.filter(handoffs=None).order_by("pk"):
        weeks = list(rotation.weeks.order_by("starts_on")[:4])
        Handoff.objects.bulk_create(
            Handoff(
                rotation=rotation,
                week=week.starts_on,
                at=week.starts_at,
                outgoing_id=week.engineer_id,
                incoming=admin,
                meeting_starts_at=week.starts_at - dt.timedelta(minutes=30),
                meeting_ends_at=week.starts_at,
                stamped_at=at,
            )
            for week in weeks
        )
        note = {"title": "Known outages or delays", "text": "a note", "edited_by": admin, "edited_at": at}
        HandoffNote.objects.create(handoff=rotation.handoffs.first(), **note)
        add_item(rotation, text="an item", by=admin, at=at)
        if FeedToken.objects.count() < MAX_FEEDS_PER_USER:
            FeedToken.objects.create(owner=admin, rotation=rotation, prefix="feed_", digest=rotation.slug)


def called(path):
    """Return a list's address, with all of its rows on one page: a longer list would be counted too."""
    return f"/api/v1/{path}?page_size=500"


def address(path):
    """Return the address of a page; that of the calendar shows the holidays."""
    return path.replace("{month}", f"{HOLIDAY:%Y/%m}")


def statements(do):
    # From memory, any number of rows would cost the same.
    clear_memory()
    with CaptureQueriesContext(connection) as captured:
        answer = do()
    assert answer.status_code == 200
    return len(captured)


@pytest.fixture(scope="module")
def measured(django_db_setup, django_db_blocker):
    """Return a function that returns the number of statements of an address with one row, and with many."""
    with rolled_back(django_db_blocker):
        admin = make_engineer("Admin", is_staff=True)
        fill(admin, rows=1)
        browser, script = Client(), Client(**bearer(admin))
        browser.force_login(admin)
        asked = {**dict.fromkeys(PAGES, browser), **{called(path): script for path in CALLS}}
        # Three of them need a statement or two more on their first visit. A statement for each row needs MANY.
        one = {path: statements(lambda: client.get(address(path))) for path, client in asked.items()}
        fill(admin, rows=MANY)

        def both(path):
            # A token's last use is stored once a minute: no minute passes here.
            ApiToken.objects.update(last_used_at=timezone.now())
            return one[path], statements(lambda: asked[path].get(address(path)))

        yield both


# Now counts its incidents and its rotations only if there are more than it shows.
COUNTS = {"/": 2}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_with_many_rows_needs_no_more_statements_than_with_one(measured, db, path):
    one, many = measured(path)
    assert many <= one + COUNTS.get(path, 0)


@pytest.mark.parametrize("path", CALLS)
def test_a_list_of_the_api_with_many_rows_needs_no_more_statements_than_with_one(measured, db, path):
    one, many = measured(called(path))
    assert many <= one


def test_a_page_that_asks_for_each_row_is_found(measured, db, monkeypatch):
    monkeypatch.setattr(Pipeline, "__str__", lambda row: Pipeline.objects.get(pk=row.pk).name)
    one, many = measured("/admin/pipelines/pipeline/")
    assert many >= one + MANY - 1


def test_the_lists_have_rows_to_count(measured, db):
    unmapped = Alert.objects.filter(pipeline=None)
    assert (Incident.objects.count(), Alert.objects.count(), unmapped.count()) == (2 * MANY, 2 * MANY, MANY)
