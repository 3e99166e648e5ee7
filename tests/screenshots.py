"""`make screenshots`: pictures of every page, empty, seeded and full, in var/screenshots, and those for the docs in docs/screenshots.

`python -m tests.screenshots [STATE…] [docs]` takes only some of them.
"""

import contextlib
import datetime as dt
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import SIZES, chromium, follow
from tests.faults.test_make_run import ROOT, Site
from tests.screenshot_docs import errors, open_page, take_documentation

FOLDER = ROOT / "var" / "screenshots"
STATES = ("empty", "seeded", "full")
PASSWORD = "for the pictures only"
SLUG = "daily-growth-experiment-focused"
TODAY = dt.datetime.now(dt.UTC).date()
# A coming week of the freshly made site, whose rotation begins in the week of today.
WEEK = TODAY + dt.timedelta(days=21 - TODAY.weekday())
# A very long page is photographed in parts: Chromium makes no picture of more than 16,384 pixels, and who looks wants to see each.
LONGEST = 8000
PAGES = {
    "now": "/",
    "incidents": "/incidents/",
    "open-incident": "/incidents/open/",
    "alerts": "/incidents/alerts/",
    "drills": "/incidents/drills/",
    "reports": "/incidents/reports/",
    "schedule": "/schedule/",
    "week": f"/schedule/{WEEK}/",
    "swaps": "/swaps/",
    "ask": f"/swaps/request/?rotation=weekly-rotation&week={WEEK}",
    "cover": "/schedule/weekly-rotation/cover/",
    "request-cover": "/covers/request/?rotation=weekly-rotation",
    "new-rotation": "/schedule/new/",
    "edit-rotation": "/schedule/weekly-rotation/edit/",
    "rotation-channels": "/rotations/weekly-rotation/channels/",
    "plan": "/schedule/weekly-rotation/plan/",
    "roster": "/schedule/weekly-rotation/roster/",
    "fairness": "/fairness/",
    "calendar": f"/calendar/{TODAY.year}/{TODAY.month}/",
    "block": f"/calendar/add/?from={WEEK}&to={WEEK + dt.timedelta(days=4)}",
    "calendar-link": "/me/calendar-link/",
    "handoffs": "/handoffs/",
    "pipelines": "/pipelines/",
    "pipeline": f"/pipelines/{SLUG}/",
    "maintenance": f"/pipelines/{SLUG}/maintenance/",
    "channels": f"/pipelines/{SLUG}/channels/",
    "integration-keys": f"/pipelines/{SLUG}/integration-keys/",
    "restatements": f"/pipelines/{SLUG}/restatements/",
    "readers-links": "/readers/",
    "checks": "/checks/",
    "check-types": f"/checks/new/?pipeline={SLUG}",
    "deleted-checks": "/checks/deleted/",
    "new-check": f"/checks/new/?pipeline={SLUG}&check_type=completeness",
    "new-metric": f"/checks/metrics/new/?pipeline={SLUG}",
    "external-checks": "/checks/external/",
    "lineage": "/lineage/",
    "owner-drift": "/lineage/drift/",
    "unmapped-nodes": "/lineage/unmapped/",
    "runbooks": "/runbooks/",
    "runbook": f"/runbooks/{SLUG}/",
    "edit": f"/runbooks/{SLUG}/edit/",
    "revisions": f"/runbooks/{SLUG}/revisions/",
    "revision": f"/runbooks/{SLUG}/revisions/1/",
    "compare": f"/runbooks/{SLUG}/compare/?old=1&new=2",
    "search": "/search/?q=logs",
    "mine": "/me/",
    "profile": "/me/profile/",
    "tokens": "/me/tokens/",
    "security": "/me/security/",
    "people": "/people/",
    "person": "/people/engineer-a/",
    "messages": "/me/notifications/",
    "offline": "/me/offline/",
    "feeds": "/me/feeds/",
    "second-factor": "/me/second-factor/",
    "enrol": "/me/second-factor/enrol/",
    "handbook": "/handbook/",
    "api": "/api/v1/docs/",
    "admin": "/admin/",
    "system": "/admin/system/",
    "ownership-grid": "/admin/pipelines/pipeline/ownership/",
    "admin-list": "/admin/people/user/",
}
# Pages of the first row that a list links to.
ROWS = {
    "incident": ("incidents", r"/incidents/\d+/"),
    "swap": ("swaps", r"/swaps/\d+/"),
    "cover-request": ("swaps", r"/covers/requests/\d+/"),
    "handoff": ("handoffs", r"/handoffs/\d+/"),
    "check": ("checks", r"/checks/\d+/"),
    "metric": ("pipeline", r"/checks/metrics/\d+/"),
    "channel": ("channels", r"/channels/\d+/"),
    "external-check": ("external-checks", r"/checks/external/\d+/"),
    "holiday": ("calendar", r"/calendar/holidays/\d+/"),
}
# Pages about one of those rows.
OF_ROWS = {
    "edit-incident": ("incident", "edit/"),
    "edit-check": ("check", "edit/"),
}


def sign_in(page):
    page.goto("/sign-in/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(PASSWORD)
    follow(page.get_by_role("button", name="Sign in"))


def paths_of(page):
    """Return the address of every page by name, those of rows too where there are any."""
    paths = dict(PAGES)
    for name, (listed, pattern) in ROWS.items():
        page.goto(PAGES[listed])
        links = page.locator("main a").evaluate_all("all => all.map(one => one.getAttribute('href'))")
        if actual := next((link for link in links if re.fullmatch(pattern, link)), None):
            paths[name] = actual
    paths |= {name: paths[row] + below for name, (row, below) in OF_ROWS.items() if row in paths}
    for check in page.request.get("/api/v1/checks/?page_size=500").json()["results"]:
        if check["type"] == "range":
            paths["backtest"] = f"/checks/{check['id']}/backtest/"
    return paths


def take(address, *, folder):
    """Take a picture of every page at both widths in both schemes."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for size, viewport in SIZES.items():
            page = open_page(browser, address, viewport)
            page.goto("/sign-in/")
            shoot(page, folder=folder, name=f"sign-in-{size}")
            sign_in(page)
            for name, path in paths_of(page).items():
                answer = page.goto(path)
                # An empty site has no pipeline whose page could be shown.
                if answer.status == 200:
                    shoot(page, folder=folder, name=f"{name}-{size}")
            for name, show in errors(page).items():
                show()
                shoot(page, folder=folder, name=f"{name}-{size}")
            page.context.close()


def shoot(page, *, folder, name):
    """Take pictures of the whole page; what is longer than one may be goes on in `…-2.png`, `…-3.png`."""
    page.wait_for_load_state("networkidle")
    width, height = page.viewport_size["width"], page.evaluate("document.documentElement.scrollHeight")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for part, top in enumerate(range(0, height, LONGEST), 1):
            clip = {"x": 0, "y": top, "width": width, "height": min(height - top, LONGEST)}
            path = folder / f"{name}-{scheme}{f'-{part}' if part > 1 else ''}.png"
            page.screenshot(path=path, full_page=True, clip=clip)


@contextlib.contextmanager
def running(state):
    """Yield the address of a site in that state."""
    with tempfile.TemporaryDirectory() as var:
        fill = [sys.executable, "-m", "tests.states", state, PASSWORD]
        subprocess.run(fill, check=True, cwd=ROOT, env={**os.environ, "ONCALL_VAR": var, "PYTHONWARNINGS": "ignore"})
        site = Site(Path(var))
        try:
            yield site.address()
        finally:
            site.stop()


def main():
    wanted = sys.argv[1:] or [*STATES, "docs"]
    for state in STATES:
        with_docs = state == "seeded" and "docs" in wanted
        if state not in wanted and not with_docs:
            continue
        with running(state) as address:
            if state in wanted:
                take(address, folder=FOLDER / state)
            if with_docs:
                take_documentation(address, sign_in=sign_in, paths_of=paths_of, slug=SLUG)


if __name__ == "__main__":
    main()
