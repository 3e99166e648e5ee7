"""A sheet's first three topics are filled from incidents and statuses, live, and stay as they were once both have signed."""

from handoffs.queries.sheets import handoff_sheets
from handoffs.services.sheets import sign_handoff
from incidents.services.transitions import NewIncident, acknowledge, open_incident, resolve
from pipelines.models import Pipeline
from tests.handoffs.conftest import NOW

SLUG = "daily-growth-experiment-focused"


def lines(handoff):
    return {
        topic.heading: [item.text for item in topic.items] for topic in handoff_sheets([handoff], at=NOW)[handoff.pk]
    }


def test_issues_outages_and_statuses_stand_under_their_topics_until_signed(rotation, handoffs):
    handoff, pipeline = handoffs[0], Pipeline.objects.get(slug=SLUG)
    person = pipeline.primary_owner
    issue, outage, delay = (
        open_incident(pipeline, what=NewIncident(kind=kind, title=f"An {kind}"), by=person, at=NOW)
        for kind in ("issue", "outage", "delay")
    )
    acknowledge(outage, by=person, at=NOW)
    actual = lines(handoff)
    [line] = actual["Active issues being resolved"]
    assert line == f"Issue: An issue, {pipeline}, since Wed 25 Nov 2026, 12:00 UTC, unassigned"
    assert [line.partition(":")[0] for line in actual["Known outages or delays"]] == [
        "Delay",
        "Outage",
    ]
    assert any(f"{pipeline} — outage — " in line for line in actual["Status of all pipelines"])
    sign_handoff(handoff, by=handoff.outgoing, at=handoff.at)
    resolve(issue, by=person, at=NOW)
    handoff.refresh_from_db()
    assert lines(handoff)["Active issues being resolved"] == []
    sign_handoff(handoff, by=handoff.incoming, at=handoff.at)
    for row in (outage, delay):
        resolve(row, by=person, at=NOW)
    handoff.refresh_from_db()
    assert len(lines(handoff)["Known outages or delays"]) == 2
