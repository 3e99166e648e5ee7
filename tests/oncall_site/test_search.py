"""The search finds everything by its words: pages, pipelines, people, rotations, incidents, checks and runbooks."""

import datetime as dt
import html

import pytest
from django.utils import timezone

from incidents.services.transitions import NewIncident, open_incident
from oncall_site.search import search
from scheduling.models import HolidayBlock
from scheduling.services.rotations import RotationText, import_rotation
from tests.each import each
from tests.factories import make_pipeline, make_runbook
from tests.validation.fixtures import make_check, make_metric


@pytest.fixture
def site(a, b, c, d):
    """A pipeline of D and A with a runbook, a check, an incident and a rotation."""
    pipeline = make_pipeline("Revenue (investor reporting)", primary=d, secondary=a)
    make_runbook(pipeline, "### Purpose\n\nMeasuring money.")
    make_check(
        pipeline, d, name="History of growth is complete", metric=make_metric(pipeline), parameters={"fail_below": 1}
    )
    open_incident(pipeline, what=NewIncident(kind="delay", title="Revenue 40 % low"), by=None, at=timezone.now())
    import_rotation(RotationText("Weekly rotation", "", "Policy", "", ()), time_zone="UTC")


def titles(words, **options):
    """Return the titles of the results by kind, without their marks."""
    groups = search(words, limit=options.get("limit", 20))
    return {
        group.label: [html.unescape(hit.title).replace("<mark>", "").replace("</mark>", "") for hit in group.hits]
        for group in groups
    }


@each(
    ("words", "results"),
    [
        ("engineer c", {"People": ["Engineer C"]}),
        ("C Engineer", {"People": ["Engineer C"]}),
        ("History of growth", {"Checks": ["History of growth is complete"]}),
        ("Revenue 40", {"Incidents": ["Revenue 40 % low"]}),
        ("weekly rotation", {"Rotations": ["Weekly rotation"]}),
        ("measuring", {"Runbooks": ["Purpose – Revenue (investor reporting)"]}),
        ("time off", {"Pages": ["Add time off"]}),
        ("nothing like it", {}),
        ("  ", {}),
    ],
)
def test_the_search_finds(site, words, results):
    assert titles(words) == results


def test_every_kind_of_a_word_is_found_and_the_best_match_is_first(site, d, a):
    make_pipeline("Old (revenue)", primary=a, secondary=d)
    assert titles("revenue") == {
        "Pipelines": ["Revenue (investor reporting)", "Old (revenue)"],
        "Incidents": ["Revenue 40 % low"],
        "Checks": ["History of growth is complete"],
    }


def test_inactive_people_and_archived_rotations_are_not_found(site, c):
    c.is_active = False
    c.save()
    assert titles("engineer c") == {}


def test_more_results_than_fit_lead_to_the_list(site, a, d):
    for number in range(4):
        make_pipeline(f"Revenue {number}", primary=a, secondary=d)
    [group] = [group for group in search("revenue", limit=2) if group.label == "Pipelines"]
    assert (len(group.hits), group.more_url) == (2, "/pipelines/?q=revenue")


def test_titles_are_escaped_and_marked(site, a, d):
    make_pipeline("<script>alert(1)</script>", primary=a, secondary=d)
    [group] = search("script", limit=5)
    assert group.hits[0].title == ("&lt;<mark>script</mark>&gt;alert(1)&lt;/<mark>script</mark>&gt;")


def test_the_page_shows_all_and_the_palette_only_the_results(signed_in, site, a):
    browser = signed_in(a)
    page = browser.get("/search/", {"q": "revenue"}).content.decode()
    assert "<mark>Revenue</mark> 40 % low" in page
    fragment = browser.get("/search/", {"q": "revenue", "palette": "1"}).content.decode()
    assert "<mark>Revenue</mark> 40 % low" in fragment
    assert "<html" not in fragment
    assert '<a href="/search/?q=revenue">All results' in fragment


@each(
    "words",
    ["", " ", "'", '"', "a & b", "!:*", "\\", "(", "[", "a*", "<script>", "%", "_", "x" * 5000, "🦉", "x\0y", "é"],
)
@each("palette", [{}, {"palette": "1"}])
def test_no_words_break_the_search(signed_in, site, a, words, palette):
    assert signed_in(a).get("/search/", {"q": words, **palette}).status_code == 200


def test_a_person_s_page_hides_why_they_are_away(signed_in, site, a, b):
    at = timezone.now()
    dates = {"starts_on": at.date(), "ends_on": at.date(), "starts_at": at, "ends_at": at + dt.timedelta(days=365)}
    HolidayBlock.objects.create(engineer=b, kind="sick", note="flu", time_zone="UTC", **dates)
    page = signed_in(a).get("/people/engineer-b/").content.decode()
    assert "Engineer B" in page
    assert "sick" not in page.lower()
    assert "flu" not in page
    assert signed_in(a).get("/people/nobody/").status_code == 404
