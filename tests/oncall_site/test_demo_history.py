"""The demo is lived in: past weeks, plans, and two failures to look at."""

import datetime as dt
import os

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from handbook.services import import_handbook
from handoffs.models import Handoff
from handoffs.queries.handoffs import overdue_handoffs
from incidents.models import Incident, RunbookRun
from incidents.tasks import sync_incidents
from lineage.models import DbtExposure, Edge
from lineage.queries import owner_drift, unmapped_nodes
from notifications.models import Message
from oncall_site.demo_lineage import NOTE, import_manifest, import_manifest_again
from oncall_site.management.commands.create_demo import EXAMPLE
from readiness.models import ReadersLink
from readiness.presenters import render_readers_page
from scheduling.models import CoverRequest, HolidayBlock, RotationWeek, SwapRequest
from validation.models import Check
from validation.services.run_check import claim_due_checks, run_check

# A Monday before the hand-off, when the newest week has not begun; DEMO_STARTS=all takes each hour of each weekday (promise 38).
DAY = dt.timedelta(days=1)
MONDAY = dt.datetime(2026, 11, 23, 0, 30, tzinfo=dt.UTC)
STARTS = range(7 * 24) if os.environ.get("DEMO_STARTS") == "all" else (0,)


@pytest.mark.parametrize("hours", STARTS)
def test_the_demo_has_a_past_plans_and_two_failures_at_any_hour(db, tmp_path, monkeypatch, hours):
    now = MONDAY + dt.timedelta(hours=hours)
    monkeypatch.setattr(timezone, "now", lambda: now)
    with override_settings(VAR=tmp_path):
        call_command("create_demo")
    past = Handoff.objects.filter(at__lte=now)
    assert past.count() >= 7
    assert all(row.is_signed for row in past)
    assert overdue_handoffs(at=now) == []
    assert RotationWeek.objects.filter(ends_at__lte=now).count() >= 7
    assert {row.state for row in Incident.objects.all()} == {"resolved"}
    assert RunbookRun.objects.filter(ended_at__isnull=False).count() == Incident.objects.count() >= 4
    assert (SwapRequest.objects.pending().count(), CoverRequest.objects.pending().count()) == (1, 1)
    assert HolidayBlock.objects.count() == 2
    assert not Message.objects.filter(due_at__lte=now).exists()
    while claimed := claim_due_checks(at=now):
        for check in claimed:
            run_check(check, at=now)
    failing = Check.objects.filter(last_status="fail")
    assert sorted(failing.values_list("name", flat=True)) == ["Every cohort has its logs", "Transactions are fresh"]
    assert not Check.objects.filter(last_status__in=("warn", "error")).exists()
    # Only what the missing transactions leave without a value is unknown.
    unknown = Check.objects.filter(last_status="unknown").values_list("pipeline__slug", flat=True)
    assert set(unknown) == {"unit-level-profit-experiment-focused"}
    sync_incidents()
    assert list(Incident.objects.unresolved().values_list("parent", "hold")) == [(None, ""), (None, "")]
    check_lineage(now)


def check_lineage(now):
    """Four current edges, their readers, one difference of owners, one node without a pipeline, and a reader page."""
    edges = Edge.objects.current(now).values_list("upstream__slug", "downstream__slug")
    assert sorted((upstream.split("-")[0], downstream.split("-")[1]) for upstream, downstream in edges) == [
        ("aggregate", "growth"), ("daily", "engagement"), ("daily", "growth"), ("unit", "profit"),
    ]  # fmt: skip
    assert [(row.name, row.pipelines.count()) for row in DbtExposure.objects.all()] == [
        ("Board deck", 1), ("Experiment scorecard", 2), ("Investor report", 3),
    ]  # fmt: skip
    assert [(row.owner.name, str(row.pipeline.primary_owner)) for row in owner_drift()] == [
        ("Engineer C", "Engineer A")
    ]
    assert [node.name for node in unmapped_nodes()] == ["scratch_cohorts"]
    [link] = ReadersLink.objects.usable()
    page = render_readers_page(link, now)
    assert [text in page for text in ("Investor numbers", NOTE, "Late data")] == [True, True, False]


def test_the_demos_edges_do_not_fade(db):
    import_manifest_again(at=MONDAY)
    assert not Edge.objects.exists()
    import_handbook(EXAMPLE.read_bytes(), at=MONDAY)
    import_manifest(at=MONDAY)
    later = MONDAY + 40 * DAY
    assert Edge.objects.current(later).count() == 0
    import_manifest_again(at=later)
    assert Edge.objects.current(later).count() == 4
