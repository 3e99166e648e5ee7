"""Evidence in a browser: an admin approves a query, the rows appear without a reload, and it runs again without JavaScript."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from incidents.services.evidence import approve_query, claim_evidence, request_evidence, run_evidence
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import NewIncident, open_incident
from pipelines.models import Pipeline
from runbooks.models import Runbook
from runbooks.services import save_revision
from tests.axe import findings
from tests.browser import PHONE
from tests.factories import import_example
from tests.snapshots import this_minute
from tests.validation.fixtures import make_warehouse
from validation.models import DataSource
from validation.services.data_sources import create_data_source

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLUG = "daily-growth-experiment-focused"
QUERY = "SELECT 'Logs missing since 2026-11-25' AS cause"
STEPS = f"""### Troubleshooting Steps

1. Check upstream log systems for delays.

   ```sql source=Warehouse
   {QUERY}
   ```
2. Rerun failed tasks.
"""


@pytest.fixture
def incident(transactional_db, admin, tmp_path):
    import_example(at=this_minute())
    create_data_source(name="Warehouse", address=make_warehouse(tmp_path / "warehouse.sqlite"), by=admin)
    save_revision(Runbook.objects.get(pipeline__slug=SLUG), markdown=STEPS, based_on=1, author=admin)
    what = NewIncident(kind="delay", title="Logs are late")
    return open_incident(Pipeline.objects.get(slug=SLUG), what=what, by=None, at=timezone.now())


def work():
    """Do the work that a worker does within seconds."""
    request_evidence(at=timezone.now())
    for claimed in claim_evidence(at=timezone.now()):
        run_evidence(claimed, at=timezone.now())


def test_the_rows_of_an_approved_query_appear_while_the_page_is_open(incident, admin, open_page, complaints):
    page = open_page(admin)
    page.goto(f"/runbooks/{SLUG}/")
    expect(page.get_by_text("waiting for approval")).to_be_visible()
    page.get_by_label("Engineers can see the rows").check()
    page.get_by_role("button", name="Approve query of step 1").click()
    expect(page.get_by_text("Engineers see the rows.")).to_be_visible()
    assert findings(page, number=2) == []
    request_evidence(at=timezone.now())
    page.goto(f"/incidents/{incident.pk}/")
    expect(page.get_by_text("running", exact=True)).to_be_visible()
    work()
    expect(page.get_by_role("cell", name="Logs missing since 2026-11-25")).to_be_visible()
    expect(page.get_by_text("running", exact=True)).to_have_count(0)
    assert complaints == []


def test_a_block_runs_again_on_a_phone_without_javascript_and_keeps_the_typed_notes(incident, admin, a, open_page):
    source = DataSource.objects.get()
    approve_query(source, query=QUERY, by=admin, at=timezone.now(), rows_for_engineers=True)
    work()
    start_run(incident, by=a, at=timezone.now())
    page = open_page(a, size=PHONE, javascript=False)
    page.goto(f"/incidents/{incident.pk}/")
    expect(page.get_by_role("cell", name="Logs missing since 2026-11-25")).to_be_visible()
    page.get_by_label("Note on step 2").fill("Typed before.")
    page.get_by_role("button", name="Run again Warehouse, step 1").click()
    expect(page.get_by_text("Evidence requested.")).to_be_visible()
    expect(page.get_by_label("Note on step 2")).to_have_value("Typed before.")
    assert incident.evidence.count() == 2
