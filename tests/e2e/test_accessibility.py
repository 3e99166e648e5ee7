"""No page has an axe finding, in either scheme, at either width, or shifts while it loads; none breaks its content security policy.

That no page of the admin breaks it is in test_hostile_texts.py.
"""

import datetime as dt
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone
from playwright.sync_api import expect

from calendar_feeds.services import create_feed
from handoffs.models import Handoff
from handoffs.queries.sheets import topic_titles
from handoffs.services.action_items import add_item
from handoffs.services.meetings import move_meeting, sync_handoffs
from handoffs.services.sheets import NoteChange, SheetChange, change_sheet, sign_handoff
from incidents.models import Alert, Evidence
from incidents.services.evidence import request_evidence, rerun_evidence
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, acknowledge, open_incident, reassign, resolve
from lineage.models import DbtExposure, DbtNode, DbtProject
from lineage.services.edges import add_edge
from pipelines.models import Pipeline
from runbooks import services
from runbooks.models import Runbook
from scheduling.models import Rotation, RotationWeek
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, accept_swap, decline_swap, request_swap
from tests.axe import EVERY_VIEW, findings, set_width
from tests.browser import SIZES, follow
from tests.factories import import_example
from tests.screenshot_docs import errors
from tests.snapshots import this_minute
from tests.validation.samples import sample
from tests.waiting import wait_until
from validation.models import ExternalCheck, Metric
from validation.services.checks import create_check, mute_check
from validation.services.data_sources import create_data_source
from validation.services.external_results import record_file
from validation.services.known_events import Event, add_known_event
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks, request_run, run_check

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SLUG = "daily-growth-experiment-focused"
PAGES = [
    "/",
    "/schedule/",
    "/schedule/weekly-rotation/roster/",
    "/schedule/weekly-rotation/cover/",
    "/schedule/weekly-rotation/plan/",
    "/swaps/",
    "/swaps/request/",
    "/fairness/",
    "/calendar/2026/12/",
    "/calendar/add/",
    "/incidents/",
    "/incidents/?state=resolved",
    "/incidents/open/",
    "/incidents/alerts/",
    "/incidents/drills/",
    "/incidents/reports/",
    "/pipelines/",
    "/pipelines/?q=nothing-like-it",
    f"/pipelines/{SLUG}/",
    f"/pipelines/{SLUG}/maintenance/",
    f"/pipelines/{SLUG}/restatements/",
    "/readers/",
    "/runbooks/",
    f"/runbooks/{SLUG}/",
    f"/runbooks/{SLUG}/edit/",
    f"/runbooks/{SLUG}/revisions/",
    f"/runbooks/{SLUG}/revisions/1/",
    f"/runbooks/{SLUG}/compare/",
    "/search/?q=logs",
    "/search/?q=nothing-like-it",
    "/checks/external/",
    "/lineage/",
    "/lineage/drift/",
    "/lineage/unmapped/",
    "/checks/",
    "/checks/?status=error",
    "/checks/new/",
    "/checks/deleted/",
    "/checks/metrics/new/",
    f"/checks/new/?pipeline={SLUG}&check_type=completeness",
    f"/checks/new/?pipeline={SLUG}&check_type=custom_sql",
    "/me/",
    "/me/profile/",
    "/me/tokens/",
    "/me/security/",
    "/me/feeds/",
    "/people/",
    "/people/engineer-a/",
    "/handoffs/",
    "/me/notifications/",
    "/me/offline/",
    # All operations have the same template, and a page with all of them has 12,000 elements.
    "/api/v1/docs/" if EVERY_VIEW else "/api/v1/docs/?q=action-items",
    "/no-such-page/",
]
ADMIN_PAGES = [
    f"/pipelines/{SLUG}/channels/",
    f"/pipelines/{SLUG}/integration-keys/",
    "/admin/",
    "/admin/system/",
    "/admin/pipelines/pipeline/ownership/",
    "/admin/people/user/",
]
EMPTY_PAGES = [
    "/",
    "/schedule/",
    "/swaps/",
    "/swaps/request/",
    "/fairness/",
    "/handoffs/",
    "/me/feeds/",
    "/calendar/2026/12/",
    "/calendar/add/",
    "/pipelines/",
    "/runbooks/",
    "/search/",
    "/lineage/",
    "/lineage/drift/",
    "/lineage/unmapped/",
    "/checks/external/",
    "/checks/",
]
LAYOUT_SHIFT = 0.1
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def findings_on(page, paths):
    problems = []
    for number, path in enumerate(paths):
        page.goto(path)
        problems += findings(page, number=number)
    return problems


@pytest.fixture
def seeded(transactional_db, seed, admin):
    import_example(at=this_minute())
    runbook = Runbook.objects.get(pipeline__slug=SLUG)
    text = runbook.revisions.get().markdown.replace("Rerun failed tasks", "Restart failed tasks")
    table = "\n\n| name | count |\n|:---|---:|\n| a | 1 |\n\n- [x] done\n- [ ] open\n\n```sql\nSELECT 1\n```\n"
    blocks = '\n   ```sql source="Demo warehouse"\n   SELECT 1\n   ```\n   check: in-range\n'
    text = text.replace("2. Review anomaly", f"{blocks}2. Review anomaly")
    services.save_revision(runbook, markdown=text + table, based_on=1, author=admin)


def checked(pipeline, *, admin, at):
    """Return the paths of a check with a plot, marks, segments, an event and a mute, asked to run; of its form and backtest.

    And of an anomaly check that explains a day.
    """
    metric = Metric.objects.create(pipeline=pipeline, slug="users", name="Users", unit="users")
    day = dt.datetime.combine(at.date() - dt.timedelta(days=1), dt.time(), dt.UTC)
    points = [NewPoint(day - dt.timedelta(days=ago), 100 + ago % 7) for ago in range(1, 60) if ago != 20]
    push_points(metric, points=[*points, NewPoint(day, 5), NewPoint(day, 5, "eu")], at=at)
    fields = {
        "name": "In range",
        "check_type": "range",
        "metric": metric,
        "parameters": {"fail_below": 10, "warn_above": 200},
    }
    check = create_check(pipeline, fields=fields, by=admin, at=at)
    for handed in claim_due_checks(at=at):
        run_check(handed, at=at)
    when = day.date() - dt.timedelta(days=5)
    add_known_event(pipeline, metric=metric, event=Event(when, when, "Sale"), by=admin, at=at)
    mute_check(check, until=at + dt.timedelta(days=1), at=at)
    request_run(check, at=at)
    fields = {"name": "Fits its history", "check_type": "anomaly", "metric": metric, "parameters": {}}
    anomaly = create_check(pipeline, fields=fields, by=admin, at=at)
    return [
        f"/checks/metrics/{metric.pk}/",
        *(f"/checks/{check.pk}/{page}" for page in ("", "edit/", "backtest/")),
        f"/checks/{anomaly.pk}/?day={day.date()}",
    ]


def linked(first, second):
    """Return the paths of pages with an edge, an exposure, drift and an unmapped node."""
    at = timezone.now()
    add_edge(upstream=first, downstream=second, at=at)
    project = DbtProject.objects.create(name="shop", schema=12, generated_at=at, imported_at=at)
    owner = str(first.secondary_owner)
    DbtNode.objects.create(project=project, key="model.shop.a", kind="model", pipeline=first, owner_name=owner)
    DbtNode.objects.create(project=project, key="model.shop.b", kind="model", reason="No rule.")
    DbtExposure.objects.create(project=project, key="exposure.shop.x", name="Board report").pipelines.add(second)
    return [
        "/lineage/",
        f"/lineage/?focus={first.slug}&depth=1",
        "/lineage/drift/",
        "/lineage/unmapped/",
        f"/pipelines/{second.slug}/",
    ]


@pytest.fixture
def swapped(seeded, admin):
    """Return the paths of pages that show swaps, covers and holidays in every state."""
    at, rotation = timezone.now(), Rotation.objects.get()
    weeks = list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
    one, two = weeks[0], weeks[1]
    days = HolidayData(one.starts_on + dt.timedelta(days=1), one.starts_on + dt.timedelta(days=2))
    create_holiday(one.engineer, data=days, by=admin)
    known = SwapProposal(two.starts_on, one.starts_on, message="Please.", acknowledge_conflicts=True)
    asked = request_swap(rotation, proposal=known, by=admin, at=at)
    created = request_swap(rotation, proposal=SwapProposal(weeks[4].starts_on, weeks[5].starts_on), by=admin, at=at)
    accept_swap(created, by=admin, at=at)
    declined = request_swap(
        rotation, proposal=SwapProposal(weeks[6].starts_on, counterpart=one.engineer), by=admin, at=at
    )
    decline_swap(declined, by=admin, at=at, comment="No.")
    create_cover(rotation, data=CoverData(one.engineer, two.starts_at, two.ends_at, "dentist"), by=admin, at=at)
    open_one = request_swap(rotation, proposal=SwapProposal(weeks[7].starts_on), by=admin, at=at)
    record_file("dbt", document=sample("dbt_run_results"), at=at)
    begin = weeks[8].starts_at
    cover_request = request_cover(
        rotation, proposal=CoverProposal(begin, begin + dt.timedelta(days=2), message="Dentist"), by=admin, at=at
    )
    paths = [f"/swaps/{swap.pk}/" for swap in (asked, created, declined, open_one)]
    paths += [f"/covers/requests/{cover_request.pk}/", f"/covers/request/?rotation={rotation.slug}"]
    paths += checked(Pipeline.objects.get(slug=SLUG), admin=admin, at=at)
    paths += linked(*Pipeline.objects.order_by("position")[:2])
    paths.append(f"/checks/external/{ExternalCheck.objects.first().pk}/")
    return [*paths, f"/swaps/request/?rotation=weekly-rotation&week={one.starts_on}", f"/schedule/{one.starts_on}/"]


def add_evidence(taken, over, *, by, at):
    """Give two incidents evidence in every state, of a query that waits for approval and of a check; in one it has run before."""
    source = create_data_source(name="Demo warehouse", address="sqlite:////nowhere.sqlite", by=by)
    request_evidence(at=at)
    done = {"state": "done", "due_at": None, "started_at": at, "finished_at": at, "columns": ["day"], "rows": [["a"]]}
    for row in over.evidence.all():
        Evidence.objects.filter(pk=row.pk).update(**done, source=source)
    taken.evidence.filter(kind="sql").update(**done)
    rerun_evidence(taken, by=by, at=at)


@pytest.fixture
def happened(seeded, admin):
    """Return the paths of incidents in every state, one with a runbook under way, one that ended by it; and an alert."""
    at, pipeline = timezone.now(), Pipeline.objects.get(slug=SLUG)
    what = [NewIncident(kind=kind, title=f"{kind} <b>", text="Since six.") for kind in ("issue", "outage", "delay")]
    fresh, taken, over = (open_incident(pipeline, what=one, by=admin, at=at) for one in what)
    for row in (taken, over):
        acknowledge(row, by=admin, at=at)
        start_run(row, by=admin, at=at)
        mark_step(row, position=1, done=True, note="Nothing.", by=admin, at=at)
    add_evidence(taken, over, by=admin, at=at)
    reassign(taken, to=taken.pipeline.primary_owner, by=admin, at=at)
    resolve(over, by=admin, at=at, fixed_by_step=1)
    Alert.objects.create(fingerprint="1", name="LogsLate", is_firing=True, starts_at=at, received_at=at)
    return [f"/incidents/{row.pk}/" for row in (fresh, taken, over)] + [f"/incidents/{fresh.pk}/edit/"]


@pytest.fixture
def handed_over(seeded, swapped, admin):
    """Return the paths of sheets that are open, signed and cancelled, with notes, action items and somebody away."""
    at, rotation = timezone.now(), Rotation.objects.get()
    sync_handoffs(at=at)
    rows = list(Handoff.objects.with_people().order_by("at"))
    title = topic_titles([rotation.pk])[rotation.pk][0]
    change_sheet(rows[0], change=SheetChange(notes={title: NoteChange("A note.")}), by=rows[0].outgoing, at=at)
    move_meeting(rows[1], by=admin, at=at, starts_at=rows[1].at - dt.timedelta(days=1))
    add_item(rotation, text="Something left to do", by=admin, at=at)
    create_feed(admin, rotation=rotation, at=at)
    for person in rows[2].people:
        sign_handoff(rows[2], by=person, at=rows[2].at)
    rotation.weeks.filter(starts_on=rows[9].week).update(engineer=rows[9].outgoing)
    days = HolidayData(rows[0].at.date(), rows[0].at.date())
    create_holiday(rows[0].incoming, data=days, by=admin)
    sync_handoffs(at=at)
    Handoff.objects.filter(pk=rows[0].pk).update(outgoing=admin)
    return [f"/handoffs/{row.pk}/" for row in (rows[0], rows[1], rows[2], rows[9])]


def test_the_colour_schemes_differ_in_colours_only():
    """Then the other rules of axe need be asked in one of them only. (`light-dark()` itself takes nothing but colours.)"""
    static = Path(finders.find("oncall_site/site.css")).parent
    styles = "".join(path.read_text() for path in static.rglob("*.css"))
    assert "prefers-color-scheme" not in styles
    assert "matchMedia" not in "".join(path.read_text() for path in static.glob("*.js"))
    of_scheme = re.findall(r"data-theme[^{]*\{([^}]*)\}", styles)
    assert all(re.fullmatch(r"\s*color-scheme: (light|dark);\s*", body) for body in of_scheme)


def test_findings_in_a_single_scheme_or_width_are_reported(transactional_db, open_page):
    page = open_page()
    page.goto("about:blank")
    page.set_content(
        """<!doctype html><html lang="en"><title>t</title><style>
        :root { color-scheme: light dark; background: light-dark(#fff, #000) } p { color: light-dark(#000, #333) }
        @media (max-width: 400px) { div { width: 900px } }</style><main><h1>t</h1><p>Dim.</p><div><img src="data:,"></div></main>"""
    )
    problems = [reported(findings(page, number=number, every_view=False)) for number in range(4)]
    assert problems == [
        ["at 375, dark: color-contrast: E", "at 375, dark: image-alt: Images", "scrolls sideways at 375"],
        ["at 1280, light: image-alt: Imag", "at 375, dark: color-contrast: E", "scrolls sideways at 375"],
        ["at 1280, dark: color-contrast: ", "at 1280, dark: image-alt: Image", "scrolls sideways at 375"],
        ["at 1280, dark: color-contrast: ", "at 375, light: image-alt: Image", "scrolls sideways at 375"],
    ]
    assert len(findings(page, every_view=True)) == 7


def reported(problems):
    return sorted(text.removeprefix("about:blank ")[:31] for text in problems)


def test_small_covered_and_scrolling_elements_are_reported_at_both_widths(transactional_db, open_page):
    """Even if every text has a known look, and if an element is small, covered or scrolling at one width only."""
    page = open_page()
    page.goto("about:blank")
    page.set_content(
        """<!doctype html><html lang="en"><title>t</title><style>
        button { block-size: 40px; inline-size: 40px; padding: 0; border: 0 } section { block-size: 40px }
        @media (max-width: 400px) { .small button { block-size: 10px; inline-size: 10px } section { overflow: auto } }
        @media (min-width: 401px) { .covered { position: relative } .covered button + button { position: absolute; inset: 10px 0 0 10px } }
        </style><main tabindex="-1"><h1>t</h1><div class="small"><button>a</button><button>b</button></div><div class="covered"><button>c</button
        ><button>d</button></div><section><h2>s</h2><p>1</p><p>2</p></section></main>"""
    )
    for number, (narrow, wide) in enumerate([("dark", "light")] * 2 + [("light", "dark")] * 2):
        problems = findings(page, number=number, every_view=False)
        assert {": ".join(text.split(": ")[:2]) for text in problems} == {
            f"about:blank at 375, {narrow}: target-size",
            f"about:blank at 375, {narrow}: scrollable-region-focusable",
            f"about:blank at 1280, {wide}: target-size",
        }, number


def test_pages_have_no_axe_findings_and_do_not_shift_while_they_load(
    swapped, handed_over, happened, admin, open_page, complaints
):
    """The suite loads every other page at each width; `make faults` loads every page at both."""
    page, problems, shifts = open_page(admin), [], {}
    page.add_init_script(SHIFTS)
    for number, path in enumerate(PAGES):
        for width in SIZES if EVERY_VIEW else [list(SIZES)[number % 2]]:
            set_width(page, width)
            page.goto(path)
            page.wait_for_timeout(100)
            shifts[path, width] = page.evaluate("window.shifted")
        problems += findings(page, number=number)
    assert problems == []
    assert {page: shift for page, shift in shifts.items() if shift >= LAYOUT_SHIFT} == {}
    assert [text for text in complaints if not text.endswith("/no-such-page/")] == []


def test_a_shift_would_be_seen(seeded, admin, open_page):
    page = open_page(admin)
    page.add_init_script(SHIFTS)
    page.goto("/")
    page.evaluate(
        "document.querySelector('main').before(Object.assign(document.createElement('p'), {innerText: 'x\\n'.repeat(20)}))"
    )
    # Only what has been painted can shift, so the paragraph comes and goes until a shift is counted.
    toggle = "document.querySelector('main').previousElementSibling.toggleAttribute('hidden'); window.shifted"
    wait_until(lambda: page.evaluate(toggle) > LAYOUT_SHIFT, why="no shift was counted")


def test_pages_about_one_row_have_no_axe_findings(swapped, handed_over, happened, admin, open_page, complaints):
    week = RotationWeek.objects.first().starts_on
    assert findings_on(open_page(admin), [*swapped, *handed_over, *happened, f"/schedule/{week}/"]) == []
    assert complaints == []


def test_no_page_of_the_admin_has_an_axe_finding(swapped, admin, open_page):
    assert findings_on(open_page(admin), ADMIN_PAGES) == []


def test_no_empty_page_has_an_axe_finding(transactional_db, admin, open_page, complaints):
    assert findings_on(open_page(admin), EMPTY_PAGES) == []
    assert complaints == []


def test_no_error_page_has_an_axe_finding(transactional_db, open_page):
    """Error pages without the database. Those with the site's frame are covered by /no-such-page/ above."""
    page = open_page()
    for number, name in enumerate(("error-429", "error-503")):
        errors(page)[name]()
        assert findings(page, number=number) == []


def test_sign_in_has_no_axe_finding(transactional_db, open_page):
    page = open_page()
    page.goto("/sign-in/")
    assert findings(page, number=2) == []
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    follow(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_text("Wrong user name, e-mail or password.")).to_be_visible()
    assert findings(page) == []
