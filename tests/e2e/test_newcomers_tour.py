"""The newcomer's tour with a stopwatch: the clicks, typed fields and pages of docs/tour.md, as a browser counts them.

`pytest -s` prints the table with the seconds of this run.
"""

import datetime as dt
import re
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from handoffs.models import Handoff
from handoffs.services.meetings import sync_handoffs
from incidents.models import Incident
from incidents.services.transitions import NewIncident, open_incident
from incidents.services.triggers import sync_with_checks
from notifications.models import Message
from notifications.queries.outbox import message_link
from notifications.registry import load
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from tests.browser import SIZES, SOME_SIZES
from tests.factories import PASSWORD, import_example
from tests.snapshots import this_minute
from tests.validation.fixtures import make_check, make_metric, push, run
from tests.waiting import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SMALL_PHONE = {"width": 375, "height": 667}
TABLE = Path(__file__).parents[2] / "docs" / "tour.md"


@dataclass
class Step:
    """A step of the tour: what it took."""

    title: str
    clicks: int = 0
    fields: int = 0
    pages: int = 0
    seconds: float = 0


class Tour:
    """A stopwatch: counts the clicks that it makes, the fields that it fills and the pages that a browser opens."""

    def __init__(self):
        self.steps, self.running = [], False

    def watch(self, page):
        page.on("framenavigated", lambda _: self._page())
        return page

    def _page(self):
        if self.running:
            self.steps[-1].pages += 1

    def begin(self, title):
        self.end()
        self.steps.append(Step(title, seconds=-time.perf_counter()))
        self.running = True

    def end(self):
        if self.running:
            self.steps[-1].seconds += time.perf_counter()
        self.running = False

    def click(self, locator):
        self.steps[-1].clicks += 1
        locator.wait_for()
        locator.page.wait_for_load_state()  # a page's scripts are there before a person's finger is
        locator.click()

    def fill(self, locator, text):
        self.steps[-1].fields += 1
        locator.fill(text)

    def table(self):
        self.end()
        return [
            f"| {step.title} | {step.clicks} | {step.fields} | {step.pages} | {step.seconds:.1f} |"
            for step in self.steps
        ]


def newest_mail(person, title):
    """Return a person's newest e-mail whose subject contains `title`."""
    mail = Message.objects.filter(recipient=person, channel="email", subject__contains=title).order_by("-pk").first()
    assert mail is not None, list(Message.objects.filter(recipient=person).values_list("subject", flat=True))
    return mail


@pytest.fixture
def site(transactional_db, seed):
    """The demo's handbook, with A on call this week and B the next, and Daily growth in trouble."""
    import_example(at=this_minute())
    for person in User.objects.all():
        person.set_password(PASSWORD)
        person.email = f"{person.username}@example.org"
        person.phone = "+49 30 1234567"
        person.save()
    what = NewIncident(kind="delay", title="Activity logs are late")
    open_incident(Pipeline.objects.get(slug="daily-growth-experiment-focused"), what=what, by=None, at=timezone.now())


@pytest.mark.parametrize("size", SOME_SIZES)
def test_the_tour_takes_the_documented_clicks(site, b, open_page, complaints, size):
    tour, rotation = Tour(), Rotation.objects.get()
    page = tour.watch(open_page(size=SIZES[size]))
    page.goto("/")

    tour.begin("Sign in")
    tour.fill(page.get_by_label("User name"), "engineer-b")
    tour.fill(page.get_by_label("Password"), PASSWORD)
    tour.click(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()

    # The session of 14 days has ended.
    tour.end()
    page.context.clear_cookies(name="sessionid")
    page.goto("/")
    tour.begin("Sign in again")
    expect(page.get_by_label("User name")).to_have_value("engineer-b")
    expect(page.get_by_label("Password")).to_be_focused()
    tour.fill(page.get_by_label("Password"), PASSWORD)
    tour.click(page.get_by_role("button", name="Sign in"))
    expect(page.get_by_role("heading", name="Now", exact=True)).to_be_visible()

    tour.begin("Find the responder for Daily growth, why, and how to contact them")
    row = page.locator("tr", has=page.get_by_role("link", name="Daily growth", exact=True))
    expect(row).to_contain_text("Engineer A")
    expect(row).to_contain_text("on call")
    expect(
        page.get_by_role("region", name="On call", exact=True).get_by_role("link", name="Call Engineer A")
    ).to_be_in_viewport()

    tour.begin("Add time off for next week, preview the impact, and request the suggested swap")
    monday = rotation.weeks.filter(engineer=b, starts_at__gt=timezone.now()).order_by("starts_on").first().starts_on
    tour.click(page.get_by_role("link", name="Add time off"))
    expect(page.get_by_role("heading", name="Add time off")).to_be_visible()
    page.wait_for_load_state()
    tour.fill(page.get_by_label("First day"), f"{monday}")
    tour.fill(page.get_by_label("Last day"), f"{monday + dt.timedelta(days=4)}")
    expect(page.get_by_role("heading", name=re.compile("Who could take the week"))).to_be_visible()
    button = page.get_by_role("button", name=re.compile("Save and send request")).first
    recipient = User.objects.get(display_name=re.search(r"to (Engineer [A-D])", button.inner_text())[1])
    tour.click(button)
    expect(page.get_by_role("status")).to_be_visible()

    tour.end()
    colleague = tour.watch(open_page(recipient, size=SIZES[size]))
    tour.end()
    colleague.goto("/")
    tour.begin("The colleague accepts the swap")
    tour.click(colleague.get_by_role("button", name="Accept Engineer B’s swap request"))
    expect(colleague.get_by_role("status")).to_contain_text("Swap accepted.")

    # What the workers do every few seconds.
    tour.end()
    sync_handoffs(at=timezone.now())
    tour.begin("Read the hand-off sheet in its invitation")
    invitation = newest_mail(recipient, "Hand-off")
    for topic in ("Active issues being resolved", "Pending action items"):
        assert topic in load(invitation.type, invitation.context).delivery_body(recipient)
    path = urlsplit(message_link(invitation)).path

    tour.end()
    colleague.goto("/")
    tour.begin("At 3 a.m., from the mail about an incident to the first step of its runbook, without scrolling")
    incident = Incident.objects.get()
    colleague.goto(f"/incidents/{incident.pk}/")
    tour.steps[-1].clicks += 1
    expect(colleague.get_by_role("button", name="Mark as done step 1")).to_be_in_viewport()
    tour.click(colleague.get_by_role("button", name="Mark as done step 1"))
    expect(colleague.get_by_role("button", name="Undo step 1")).to_be_in_viewport()
    incident.refresh_from_db()
    assert incident.state == "acknowledged"

    # The meeting has begun: from now on, signing needs no confirmation.
    tour.end()
    now = timezone.now()
    ends_at = now + dt.timedelta(minutes=30)
    handoff = Handoff.objects.filter(pk=path.strip("/").split("/")[-1])
    handoff.update(at=ends_at, meeting_starts_at=now, meeting_ends_at=ends_at)
    colleague.goto("/")
    tour.begin("Add a note to the hand-off sheet and sign it")
    tour.fill(colleague.get_by_label("Note for the sheet"), "Ask for a larger disk.")
    tour.click(colleague.get_by_role("button", name=re.compile("Sign off as outgoing|Accept hand-off")))
    expect(colleague.get_by_role("status")).to_contain_text("Signed.")

    table = tour.table()
    print("", *table, sep="\n")
    assert (
        Handoff.objects.filter(notes__text="Ask for a larger disk.")
        .exclude(signed_outgoing_at=None, signed_incoming_at=None)
        .exists()
    )
    assert counted(table) == counted(TABLE.read_text().splitlines())
    assert sum(step.clicks for step in tour.steps) <= 8
    assert sum(step.fields for step in tour.steps) <= 6
    assert complaints == []


@pytest.mark.parametrize(
    "buttons", [("Mark as done step 1",), ("Acknowledge and start runbook", "Mark as done step 1")], ids=len
)
def test_at_3_a_m_the_first_step_is_done_without_scrolling_on_a_small_phone(site, a, open_page, complaints, buttons):
    """With the link in the mail, this takes two clicks, or three to acknowledge first."""
    page = open_page(a, size=SMALL_PHONE)
    page.goto(urlsplit(message_link(newest_mail(a, "Activity logs are late"))).path)
    for name in buttons:
        button = page.get_by_role("button", name=name)
        expect(button).to_be_in_viewport(ratio=1)
        # The new page may not have scrolled to the runbook yet.
        wait_until(partial(is_uncovered, button), why=f"the bar at the bottom covers “{name}”")
        button.click()
    expect(page.get_by_role("button", name="Undo step 1")).to_be_visible()
    assert complaints == []


def test_at_3_a_m_a_heat_map_leaves_the_first_step_in_view_on_a_small_phone(site, a, open_page):
    """The incident of a check shows more than one that a person opened: a heat map and a longer text."""
    at = this_minute()
    metric = make_metric(Pipeline.objects.get(slug="aggregate-engagement-investor-reporting"))
    for segment, missing in (("consumer", 0), ("business", 0), ("enterprise", 3)):
        push(metric, [100] * (20 - missing), at, 1 + missing, segment)
    parameters = {"look_back": 14, "segments": ["consumer", "business", "enterprise"]}
    run(
        make_check(
            metric.pipeline, a, "completeness", metric, at, name="Every cohort has its logs", parameters=parameters
        ),
        at,
    )
    sync_with_checks(at=at)
    page = open_page(a, size=SMALL_PHONE)
    page.goto(f"/incidents/{Incident.objects.get(title__contains='Every cohort has its logs').pk}/")
    expect(page.locator(".heat-map")).to_be_attached()
    button = page.get_by_role("button", name="Mark as done step 1")
    expect(button).to_be_in_viewport(ratio=1)
    assert is_uncovered(button)


def is_uncovered(locator):
    """Return True if a click on the middle of an element, or on its lower edge, reaches the element."""
    return locator.evaluate("""element => {
      const box = element.getBoundingClientRect();
      return [box.top + box.height / 2, box.bottom - 2].every(
        y => element.contains(document.elementFromPoint(box.left + box.width / 2, y)));
    }""")


def counted(lines):
    """Return the title, clicks, fields and pages of each row of a table; seconds differ with the machine."""
    rows = [line.strip("|").split("|")[:4] for line in lines if re.match(r"\|.*(\| \d+ ){3}\| [\d.]+ \|", line)]
    return [[cell.strip() for cell in row] for row in rows]
