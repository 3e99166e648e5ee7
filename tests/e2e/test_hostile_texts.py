"""Promise 17: hostile texts in names, notes, runbooks and messages, in a browser: none runs, and no page breaks its policy.

The suite takes every tenth text and leaves out the history pages of Django's admin. The admin's other pages share
templates: the suite reads all of them without a browser, and the browser opens only the first page with each script, and two
pages about single rows of a kind. With HOSTILE_TEXTS=all, which `make faults` sets, a browser opens every page with all 150 texts.
"""

import datetime as dt
import os
import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin as django_admin
from django.utils import timezone

from handoffs.models import Handoff
from handoffs.queries.sheets import handoff_sheets
from handoffs.services.action_items import add_item
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import NoteChange, SheetChange, change_sheet
from people.services.accounts import create_token
from pipelines.services import Owners, create_pipeline
from runbooks.services import create_runbook
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, decline_swap, request_swap
from tests.e2e.hostile import TEXTS
from tests.factories import current_monday, make_engineer
from tests.waiting import wait_until
from validation.models import ExternalCheck

ALL = os.environ.get("HOSTILE_TEXTS", "") == "all"
pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(1_800),
    pytest.mark.django_db(transaction=True),
]

CHOSEN = TEXTS if ALL else TEXTS[::10]
# Pages about one row of a kind have the same template.
MAX_SINGLE_PAGES = 6 if ALL else 2
A_RUNBOOK = 15
PAGES = [
    "/", "/schedule/", "/swaps/", "/swaps/request/", "/fairness/", "/calendar/", "/calendar/add/", "/pipelines/", "/runbooks/", "/search/?q=window",
    "/handoffs/", "/incidents/", "/checks/external/", "/me/", "/me/profile/", "/me/tokens/", "/me/notifications/", "/me/feeds/", "/me/second-factor/", "/handbook/", "/api/v1/docs/",
]  # fmt: skip

# Attributes whose address a browser opens or loads.
LINKS = {"src", "href", "action", "formaction", "data"}
# Models whose add form has other widgets than their change form.
MODELS_WITH_ADD_FORM = (
    "pipelines/pipeline", "people/user", "scheduling/holidayblock", "scheduling/cover", "handoffs/actionitem",
    "notifications/slackapp", "notifications/contactmethod",
)  # fmt: skip


def short(text, length):
    """Return a text as a field of one line and of that length takes it."""
    return " ".join(text.replace("\0", "").split())[:length].strip()


def write_everywhere(admin):
    """Write the texts into every field that people write; return the paths of the pages about single rows."""
    at = timezone.now()
    people = [
        make_engineer(f"{short(text, 105)} {place}", username=f"person-{place}") for place, text in enumerate(CHOSEN)
    ]
    rotation = import_rotation(RotationText(short(CHOSEN[0], 80), CHOSEN[1], "Policy", CHOSEN[2], ()), time_zone="UTC")
    monday = current_monday(at)
    set_roster(rotation, engineers=people[:20], starts_on=monday, at=at)
    pipelines = []
    for place, text in enumerate(CHOSEN):
        owners = Owners(primary=people[place], secondary=people[place - 1])
        pipelines.append(create_pipeline(f"P{place} {short(text, 100)}", owners=owners, position=place))
        create_token(admin, name=short(text, 80)) if place < 45 else None
        day = monday + dt.timedelta(days=7 + place % 20)
        create_holiday(people[place], data=HolidayData(day, day, note=short(text, 480)), by=admin)
        add_item(rotation, text=short(text, 480), by=people[place], at=at)
        ExternalCheck.objects.create(
            tool="dbt",
            key=f"{place}",
            name=short(text, 240),
            subject=short(text, 240),
            message=text,
            status="fail",
            at=at,
            created_at=at,
        )
    join_rotation(rotation, pipelines=pipelines)
    paths = [f"/pipelines/{one.slug}/" for one in pipelines[:MAX_SINGLE_PAGES]]
    for place in range(0, len(CHOSEN), A_RUNBOOK):
        markdown = "\n\n".join(f"### Part {n}\n\n{text}" for n, text in enumerate(CHOSEN[place : place + A_RUNBOOK]))
        create_runbook(pipelines[place], title=pipelines[place].full_name, markdown=markdown, author=admin)
        slug = pipelines[place].slug
        paths += [f"/runbooks/{slug}/", f"/runbooks/{slug}/edit/", f"/runbooks/{slug}/revisions/1/"]
    return [*paths, *swap(rotation, admin=admin, at=at), *hand_over(admin=admin, at=at)]


def swap(rotation, *, admin, at):
    """Ask, decline and cover with a text each, over as many weeks as there are."""
    weeks = list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
    paths = []
    for place, week in enumerate(weeks[:24]):
        text = short(CHOSEN[place % len(CHOSEN)], 190)
        asked = request_swap(rotation, proposal=SwapProposal(week.starts_on, message=text), by=admin, at=at)
        paths.append(f"/swaps/{asked.pk}/")
        if place % 3 == 0:
            decline_swap(asked, by=admin, at=at, engineer=weeks[place + 1].engineer, comment=text)
        if week.starts_at > at + dt.timedelta(days=7):
            span = CoverData(weeks[place - 1].engineer, week.starts_at, week.starts_at + dt.timedelta(hours=2), text)
            create_cover(rotation, data=span, by=admin, at=at, acknowledge_conflicts=True)
    return [
        *paths[:MAX_SINGLE_PAGES],
        f"/schedule/{weeks[1].starts_on}/",
        f"/schedule/{rotation.slug}/cover/",
        f"/schedule/{rotation.slug}/roster/",
    ]


def hand_over(*, admin, at):
    """Write a text under each topic of the coming hand-offs."""
    sync_handoffs(at=at)
    rows = list(Handoff.objects.not_cancelled().filter(at__gt=at).order_by("at")[:6])
    for place, row in enumerate(rows):
        notes = dict.fromkeys(titles(row), NoteChange(CHOSEN[-1 - place]))
        change_sheet(row, change=SheetChange(notes=notes), by=admin, at=at)
    return [f"/handoffs/{row.pk}/" for row in rows[:MAX_SINGLE_PAGES]]


def titles(row):
    return [topic.title for topic in handoff_sheets([row], at=timezone.now())[row.pk]]


def admin_pages():
    """Return the paths of Django's admin: one row of each model, forms of new rows, and lists."""
    paths = [
        "/admin/",
        "/admin/pipelines/pipeline/ownership/",
        *(f"/admin/{name}/add/" for name in MODELS_WITH_ADD_FORM),
    ]
    for model in django_admin.site._registry:
        base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        paths += [
            f"{base}{pk}/{page}/"
            for pk in model.objects.values_list("pk", flat=True)[:1]
            for page in (("change", "history") if ALL else ("change",))
        ]
        paths.append(base)
    return paths


def pages_with_new_scripts(client, paths):
    """Return the pages with a script that no earlier page has, and the pages that fail or break the policy."""
    scripts, chosen, problems = set(), [], []
    for path in paths:
        answer = client.get(path)
        html = answer.content.decode()
        if (answer.status_code, policy_breaks(html)) != (200, []):
            problems.append((path, answer.status_code, policy_breaks(html)))
        on_page = set(re.findall(r'<script [^>]*src="([^"]+)"', html))
        if not on_page <= scripts:
            chosen.append(path)
        scripts |= on_page
    return chosen, problems


class PolicyReader(HTMLParser):
    """Collects tags that break the content security policy: inline script or style, foreign script, script in links."""

    def __init__(self):
        super().__init__()
        self.breaks = []

    def handle_starttag(self, tag, attrs):
        names, source = {name for name, _ in attrs}, dict(attrs).get("src") or ""
        runs = tag == "style" or (tag == "script" and not re.match("/[^/]", source))
        if runs or any(name.startswith("on") or name == "style" for name in names):
            self.breaks.append(tag)
        if any(
            name in LINKS and re.match(r"\s*(javascript|data):", value or "", re.IGNORECASE) for name, value in attrs
        ):
            self.breaks.append(tag)


def policy_breaks(html):
    reader = PolicyReader()
    reader.feed(html)
    return reader.breaks


def test_what_breaks_the_policy_is_found_without_a_browser():
    html = '<p title="<i onclick=x>"><script>1</script><b onclick="x"><a href="data:,">x</a><script src="/static/x.js"></script>'
    assert policy_breaks(html) == ["script", "b", "a"]


def test_hostile_texts_do_not_run_on_any_page(admin, signed_in, open_page, complaints):
    assert len(TEXTS) >= 150
    single = write_everywhere(admin)
    admin_paths = admin_pages()
    opened, problems = pages_with_new_scripts(signed_in(admin), admin_paths)
    assert problems == []
    page = open_page(admin)
    page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}") or dialog.dismiss())
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
    )
    seen = 0
    for path in [*PAGES, *single, *(admin_paths if ALL else opened)]:
        answer = page.goto(path)
        assert answer.status == 200, path
        page.mouse.move(300, 300)
        ran, is_shown = page.evaluate("[window.hit ?? null, document.documentElement.outerHTML.includes('window.hit')]")
        assert ran is None, f"something ran on {path}"
        assert "/sign-in/" not in page.url, f"something signed out on {path}"
        seen += is_shown
    assert complaints == []
    # The texts were there to be read, as words.
    assert seen > 25
    # And what breaks the policy is heard of.
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=window.hit=1>')")
    wait_until(lambda: page.title() and any("policy:" in text for text in complaints), why="no break was reported")
    assert page.evaluate("window.hit") is None
