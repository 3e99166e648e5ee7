"""The past incidents most like one at hand, what fixed them, and the steps that fixed incidents most often."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.domain.similarity import MIN_SIMILARITY, IncidentTraits, similarity
from incidents.models import Incident
from incidents.queries.similar import similar_incidents
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, open_incident, resolve
from tests.factories import bearer, make_pipeline, make_runbook

HOUR = dt.timedelta(hours=1)


def past(pipeline, title, by, now, *, hours, kind="issue", text="", step=None):
    """Return an incident that was resolved; `step` is the one that fixed it."""
    at = now - hours * HOUR
    incident = open_incident(pipeline, what=NewIncident(kind=kind, title=title), by=by, at=at)
    if step is not None:
        start_run(incident, by=by, at=at)
        mark_step(incident, position=step, by=by, at=at + HOUR / 4, done=True)
    return resolve(incident, by=by, at=at + HOUR / 2, text=text, fixed_by_step=step)


@pytest.fixture
def pipeline(a, b):
    row = make_pipeline("Orders", primary=a, secondary=b)
    make_runbook(row, "### Troubleshooting Steps\n\n1. Look.\n2. Restart the load.\n3. Ask finance.\n", author=a)
    return row


@pytest.fixture
def current(pipeline, a, now):
    what = NewIncident(kind="issue", title="Late data: Orders by country (28 Nov)", check_id=7)
    return open_incident(pipeline, what=what, by=a, at=now)


@pytest.mark.parametrize(
    ("other", "is_alike"),
    [
        (IncidentTraits(2, "outage", "Nothing", {"check 7"}), True),
        (IncidentTraits(1, "issue", "Late data: Orders by country (24 Nov)"), True),
        (IncidentTraits(1, "issue", "Wrong currency"), False),
        (IncidentTraits(2, "issue", "Late data: Orders"), False),
    ],
)
def test_the_failing_check_or_pipeline_and_words_make_incidents_alike(other, is_alike):
    one = IncidentTraits(1, "issue", "Late data: Orders by country (28 Nov)", {"check 7"})
    assert (similarity(one, other) >= MIN_SIMILARITY) == is_alike
    assert similarity(one, other) == similarity(other, one)


def test_the_three_most_alike_are_listed_with_what_fixed_them(current, pipeline, a, b, now):
    other = make_pipeline("Another pipeline", primary=a, secondary=b)
    same_check = past(pipeline, "Something else", a, now, hours=300, step=2)
    Incident.objects.filter(pk=same_check.pk).update(check_id=7)
    same_words = past(
        pipeline, "Late data: Orders by country (24 Nov)", a, now, hours=100, text="The upstream file came late."
    )
    fewer_words = past(pipeline, "Late data: Orders", a, now, hours=50)
    past(pipeline, "Late files", a, now, hours=40, kind="delay")
    past(other, "Late data: Orders by country (27 Nov)", a, now, hours=30)
    open_incident(pipeline, what=NewIncident(kind="issue", title=current.title), by=a, at=now)
    rows = [(row.incident, row.fixed_by, row.comment) for row in similar_incidents(current)]
    assert rows == [
        (same_check, "Restart the load.", ""),
        (same_words, "", "The upstream file came late."),
        (fewer_words, "", ""),
    ]


def test_the_page_shows_what_helped_before(signed_in, current, pipeline, a, now):
    for hours, step in ((300, 2), (200, 2), (100, 3)):
        past(pipeline, "Late data: Orders by country", a, now, hours=hours, step=step)
    # This incident's own run does not count as one that its steps did not fix.
    start_run(current, by=a, at=now)
    mark_step(current, position=2, by=a, at=now, done=True)
    html = signed_in(a).get(f"/incidents/{current.pk}/").content.decode()
    section = html.partition('id="similar"')[2].partition("</section>")[0]
    assert section.index("Restart the load.") < section.index("Ask finance.")
    for text in ("Step 2 fixed 2 of 3 incidents, median 15 min", "Fixed by: Ask finance."):
        assert text in " ".join(section.split())
    resolve(current, by=a, at=now + HOUR)
    assert "Steps that fixed incidents" not in signed_in(a).get(f"/incidents/{current.pk}/").content.decode()


def test_the_api_lists_them(client, current, pipeline, a, now):
    row = past(pipeline, "Late data: Orders by country (24 Nov)", a, now, hours=24, text="Late file.")
    body = client.get(f"/api/v1/incidents/{current.pk}/similar/", **bearer(a)).json()
    assert [(one["id"], one["fixed_by"], one["comment"]) for one in body["results"]] == [(row.pk, "", "Late file.")]


def test_the_number_of_queries_does_not_grow_with_the_past(current, pipeline, a, now):
    def count():
        with CaptureQueriesContext(connection) as captured:
            similar_incidents(Incident.objects.get(pk=current.pk))
        return len(captured)

    past(pipeline, current.title, a, now, hours=500)
    before = count()
    for number in range(29):
        past(pipeline, current.title, a, now, hours=number + 1)
    assert count() == before <= 6
