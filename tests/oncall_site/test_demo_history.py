"""The demo is lived in: past weeks, plans, and two failures to look at."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.test import override_settings
from django.utils import timezone

from handoffs.models import Handoff
from handoffs.queries.handoffs import overdue_handoffs
from incidents.models import Incident, RunbookRun
from incidents.tasks import sync_incidents
from notifications.models import Message
from scheduling.models import HolidayBlock, RotationWeek, SwapRequest
from validation.models import Check
from validation.services.run_check import claim_due_checks, run_check


# A Monday before and after the hand-off, and a Sunday night.
@pytest.mark.parametrize("at", ["2026-11-23T00:30", "2026-11-23T15:00", "2026-11-29T23:30"])
def test_the_demo_has_a_past_plans_and_two_failures(db, tmp_path, monkeypatch, at):
    now = dt.datetime.fromisoformat(f"{at}+00:00")
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
    assert SwapRequest.objects.filter(state="pending").count() == 1
    assert HolidayBlock.objects.count() == 2
    assert not Message.objects.filter(due_at__lte=now).exists()
    while claimed := claim_due_checks(at=now):
        for check in claimed:
            run_check(check, at=now)
    failing = Check.objects.filter(last_status="fail")
    assert sorted(failing.values_list("name", flat=True)) == ["Every cohort has its logs", "Transactions are fresh"]
    assert not Check.objects.filter(last_status__in=("warn", "error")).exists()
    sync_incidents()
    assert Incident.objects.unresolved().count() == 2
