"""The whole loop with a real worker, beat, broker and mail server: a check fails, and the responder resolves it."""

import datetime as dt
import urllib.parse

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.models import Incident
from notifications.models import Message
from people.models import User
from pipelines.models import Pipeline
from scheduling.queries.on_call import responder_chains
from tests.factories import import_example
from tests.faults.workers import site
from tests.snapshots import this_minute
from tests.waiting import wait_until
from validation.models import Metric
from validation.services.checks import create_check
from validation.services.metrics import save_metric
from validation.services.points import NewPoint, push_points

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]

SLUG = "daily-growth-experiment-focused"


@pytest.fixture
def responder(transactional_db, seed):
    import_example(at=this_minute())
    pipeline = Pipeline.objects.get(slug=SLUG)
    person = User.objects.get(pk=responder_chains([pipeline], at=timezone.now())[pipeline.pk].responder.id)
    person.email = "responder@example.org"
    person.save()
    return person


def failing_check(*, by):
    """Make a metric whose value of yesterday is far out of the bounds of its check."""
    pipeline, at = Pipeline.objects.get(slug=SLUG), timezone.now()
    metric = Metric(pipeline=pipeline, slug="rows", name="Rows", kind="count")
    save_metric(metric, by=by)
    today = dt.datetime.combine(at.date(), dt.time(), dt.UTC)
    points = [NewPoint(today - dt.timedelta(days=day), 3.0) for day in range(1, 4)]
    push_points(metric, points=points, at=at)
    fields = {
        "name": "Enough rows",
        "check_type": "range",
        "metric": metric,
        "parameters": {"fail_below": 1000},
        "is_active": True,
    }
    return create_check(pipeline, fields=fields, by=by, at=at)


def about_it(running):
    """Return the mails about the incident; others may go out meanwhile, such as a hand-off's invitation."""
    return [mail for mail in running.accepted() if "Enough rows" in mail["subject"]]


def test_a_check_fails_and_the_responder_ends_it(responder, admin, open_page, complaints):
    with site(often=["sync incidents", "sweep checks"]) as running:
        running.worker("worker-0")
        running.beat("beat-0")
        check = failing_check(by=admin)
        wait_until(lambda: about_it(running), why="nobody was notified")
        [mail] = about_it(running)
    assert mail["to"] == ["responder@example.org"]
    incident = Incident.objects.get(check_id=check.pk)
    assert incident.title in mail["subject"]
    assert f"/runbooks/{SLUG}/" in mail["text"]
    link = next(word for word in mail["text"].split() if f"/incidents/{incident.pk}/" in word)
    assert Message.objects.filter(type="incident-escalated", context__incident_id=incident.pk).count() == 1

    page = open_page(responder)
    page.goto("/")
    expect(page.get_by_role("heading", name="1 open incident")).to_be_visible()
    page.goto(urllib.parse.urlsplit(link).path)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Enough rows")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.get_by_text("Acknowledged. Escalation stopped.")).to_be_visible()
    page.get_by_role("button", name="Start runbook", exact=True).click()
    for position, note in ((1, "Nothing late upstream."), (3, "Ran them again.")):
        page.get_by_label(f"Note on step {position}").fill(note)
        page.get_by_role("button", name=f"Mark as done step {position}").click()
        expect(page.get_by_role("button", name=f"Undo step {position}")).to_be_visible()
    expect(page.get_by_label("Which step fixed it?")).to_have_value("3")
    page.get_by_role("button", name="Resolve incident").click()
    expect(page.get_by_text("Incident resolved.")).to_be_visible()
    expect(page.get_by_text("fixed it", exact=True)).to_be_visible()
    page.goto(f"/runbooks/{SLUG}/")
    expect(page.get_by_role("region", name="Step statistics")).to_contain_text("fixed 1 incident")
    page.goto(f"/pipelines/{SLUG}/")
    expect(page.get_by_role("region", name="Incidents")).to_contain_text("Enough rows")
    assert complaints == []
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_by) == ("resolved", responder)
