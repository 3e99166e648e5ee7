"""The demo's failures: each makes its check fail, and when its incident opens, the evidence of the runbook names only its cause."""

import datetime as dt

import pytest

from examples.warehouse import SCENARIOS, inject
from handbook.services import import_handbook
from incidents.models import Evidence, Incident
from incidents.services.evidence import claim_evidence, request_evidence, run_evidence
from incidents.services.transitions import NewIncident, open_incident
from incidents.services.triggers import sync_with_checks
from oncall_site.demo import DEMO_SOURCE, build_demo, report_runs
from oncall_site.demo_evidence import BLOCKS, add_evidence
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from runbooks.models import RunbookRevision
from tests.factories import SEED, make_engineer
from tests.oncall_site.conftest import DAY, NOON
from tests.oncall_site.test_demo import judged
from tests.snapshots import build_once
from validation.models import Check, DataSource

pytestmark = pytest.mark.xdist_group("demo")

HOUR = dt.timedelta(hours=1)
# The step and the first rows of its evidence, by scenario.
CAUSES = {
    "missing-transactions": (1, ["Transactions missing since 2026-03-29"]),
    "wrong-tags": (2, ["Unknown experiment tag exp?", "No experiment tag"]),
    "run-timeout": (3, ["The run of 2026-04-01 timed out"]),
    "schema-change": (1, ["Column currency is missing", "Column currency_id is new"]),
    "late-aggregation": (2, ["The run of 2026-04-01 ended late"]),
    "regional-discrepancy": (3, ["Region south differs from its ledger by -20 %"]),
    "incomplete-growth": (3, ["New users of 2026-03-31 are incomplete: 55 % of daily growth"]),
    "missing-history": (1, ["No growth from 2026-02-19 to 2026-02-23"]),
    "failed-updates": (
        2,
        ["The run of 2026-04-01 failed", "The run of 2026-03-31 failed", "The run of 2026-03-30 failed"],
    ),
    "missing-logs": (1, ["Activity logs missing since 2026-03-29"]),
    "outlier": (2, ["New users of 2026-03-31 are 200 % of the usual"]),
    "spike-or-dip": (2, ["Events of 2026-03-31 are 61 % of the usual"]),
    "missing-cohort": (1, ["Cohort enterprise has no logs", "Cohort enterprise has no logs"]),
    "late-crm": (1, ["CRM updates missing since 2026-03-29"]),
    "user-definitions": (3, ["Cohort business counts users by opened-app instead of signed-in"]),
}
# Further effects of the failed updates.
ALSO = {"failed-updates": (1, ["No growth from 2026-03-29 to 2026-03-31"])}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("evidence") / "warehouse.sqlite"


@pytest.fixture
def demo(db, place, healthy_warehouse):
    """Build the demo with its runbooks and evidence on a healthy warehouse; return the path of the warehouse."""
    place.write_bytes(healthy_warehouse)

    def build():
        import_handbook(SEED.read_bytes(), at=NOON)
        admin = make_engineer("Admin", is_staff=True)
        build_demo(place, by=admin, at=NOON)
        add_evidence(DataSource.objects.get(name=DEMO_SOURCE), by=admin, at=NOON)

    build_once(("demo with evidence", place), build)
    return place


def causes(*, at):
    """Run the evidence that is due; return the step and the causes of each query that found some."""
    request_evidence(at=at)
    for claimed in claim_evidence(at=at):
        run_evidence(claimed, at=at)
    rows = Evidence.objects.order_by("step", "pk")
    assert set(rows.values_list("state", flat=True)) == {"done"}
    return [(row.step, [cells[0] for cells in row.rows]) for row in rows.filter(kind="sql") if row.rows]


def test_every_scenario_has_an_expected_cause():
    assert set(CAUSES) == set(SCENARIOS)
    assert len(CAUSES) == 15


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_a_failure_makes_its_check_fail_and_the_evidence_names_the_cause(demo, name):
    scenario = SCENARIOS[name]
    inject(demo, scenario, day=DAY)
    report_runs(demo, at=NOON)
    check = Check.objects.get(name=scenario.caught_by)
    times = [NOON + HOUR * failures for failures in range(check.confirm)]  # one check needs two failures
    for at in times:
        (result,) = judged(check, at=at).values()
        assert result.status == "fail", result.message
        check.refresh_from_db()
        assert (check.alerting_since is not None) is (at == times[-1])
        sync_with_checks(at=at)
    incident = Incident.objects.get()
    assert (incident.check_id, incident.pipeline.match_key) == (check.pk, match_key(scenario.pipeline))
    also = [ALSO[name]] if name in ALSO else []
    assert causes(at=times[-1]) == [*also, CAUSES[name]]


def test_the_evidence_of_a_healthy_warehouse_names_no_cause(demo):
    for pipeline in Pipeline.objects.all():
        open_incident(pipeline, what=NewIncident(kind="issue", title="A drill"), by=None, at=NOON)
    assert causes(at=NOON) == []
    assert Evidence.objects.count() == len(BLOCKS)


def test_the_demos_runbooks_have_one_block_for_each_entry(demo):
    revisions = RunbookRevision.objects.filter(number=2)
    assert set(revisions.values_list("author", "summary")) == {
        (User.objects.get(is_staff=True).pk, "Evidence for each step")
    }
    html = "".join(revisions.values_list("html", flat=True))
    assert html.count('<figure class="evidence"') == len(BLOCKS)
