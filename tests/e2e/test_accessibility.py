"""No page has an axe finding, in either scheme, at either width; no page breaks its content security policy."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command

from runbooks import commands
from runbooks.models import Runbook
from scheduling.models import RotationWeek
from tests.browser import SIZES

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.django_db(transaction=True)]

RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
}
SLUG = "daily-growth-experiment-focused"
PAGES = [
    "/",
    "/schedule/",
    "/schedule/weekly-rotation/roster/",
    "/fairness/",
    "/calendar/2026/12/",
    "/calendar/block/",
    "/pipelines/",
    "/pipelines/?q=nothing-like-it",
    f"/pipelines/{SLUG}/",
    "/runbooks/",
    f"/runbooks/{SLUG}/",
    f"/runbooks/{SLUG}/edit/",
    f"/runbooks/{SLUG}/revisions/",
    f"/runbooks/{SLUG}/revisions/1/",
    f"/runbooks/{SLUG}/compare/",
    "/search/?q=logs",
    "/search/?q=nothing-like-it",
    "/me/",
    "/api/v1/docs/",
    "/no-such-page/",
]
EMPTY_PAGES = [
    "/",
    "/schedule/",
    "/fairness/",
    "/calendar/2026/12/",
    "/calendar/block/",
    "/pipelines/",
    "/runbooks/",
    "/search/",
]


def findings(page):
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{page.url}: {v['id']}: {v['help']}: {[n['target'] for n in v['nodes']]}" for v in found]


def complaints_but_404(complaints):
    return [text for text in complaints if "404 (Not Found)" not in text and "no-such-page" not in text]


@pytest.fixture
def seeded(transactional_db, seed, admin):
    call_command("import_handbook", str(seed), verbosity=0)
    runbook = Runbook.objects.get(pipeline__slug=SLUG)
    text = runbook.revisions.get().markdown.replace("Rerun failed tasks", "Restart failed tasks")
    table = "\n\n| name | count |\n|:---|---:|\n| a | 1 |\n\n- [x] done\n- [ ] open\n\n```sql\nSELECT 1\n```\n"
    commands.save_revision(runbook, markdown=text + table, based_on=1, author=admin)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_no_page_has_an_axe_finding(seeded, admin, open_page, complaints, scheme, size):
    page = open_page(admin, size=SIZES[size], scheme=scheme)
    found = []
    week = RotationWeek.objects.first().starts_on
    for path in [*PAGES, f"/schedule/{week}/"]:
        page.goto(path)
        found += findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
    assert found == []
    assert complaints_but_404(complaints) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_empty_page_has_an_axe_finding(transactional_db, admin, open_page, complaints, scheme):
    page = open_page(admin, scheme=scheme)
    found = []
    for path in EMPTY_PAGES:
        page.goto(path)
        found += findings(page)
    assert found == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_sign_in_has_no_axe_finding(transactional_db, open_page, scheme, size):
    page = open_page(size=SIZES[size], scheme=scheme)
    page.goto("/sign-in/")
    assert findings(page) == []
    page.get_by_label("User name").fill("nobody")
    page.get_by_label("Password").fill("nothing")
    page.get_by_role("button", name="Sign in").click()
    assert findings(page) == []


def test_the_admin_keeps_the_policy(seeded, admin, open_page, complaints):
    page = open_page(admin)
    for path in (
        "/admin/",
        "/admin/pipelines/pipeline/",
        "/admin/pipelines/pipeline/add/",
        "/admin/pipelines/pipeline/ownership/",
        "/admin/people/user/",
        "/admin/people/user/add/",
        "/admin/runbooks/runbook/",
        "/admin/scheduling/rotation/",
        "/admin/handoffs/handoffpolicy/",
    ):
        assert page.goto(path).status == 200, path
    assert complaints == []
