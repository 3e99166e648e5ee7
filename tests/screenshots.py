"""`make screenshots`: pictures of every page of a freshly made site, into docs/screenshots/, or all variants into a folder given."""

import datetime as dt
import re
import sys
import tempfile
from pathlib import Path

from tests.browser import SIZES, chromium
from tests.faults.test_make_run import Site

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "screenshots"
SLUG = "daily-growth-experiment-focused"
TODAY = dt.datetime.now(dt.UTC).date()
# A coming week of the freshly made site, whose rotation begins in the week of today.
WEEK = TODAY + dt.timedelta(days=21 - TODAY.weekday())
PAGES = {
    "now": "/",
    "schedule": "/schedule/",
    "week": f"/schedule/{WEEK}/",
    "swaps": "/swaps/",
    "ask": f"/swaps/ask/?rotation=weekly-rotation&week={WEEK}",
    "swap": "/swaps/1/",
    "cover": "/schedule/weekly-rotation/cover/",
    "plan": "/schedule/weekly-rotation/plan/",
    "fairness": "/fairness/",
    "roster": "/schedule/weekly-rotation/roster/",
    "calendar": "/calendar/2026/12/",
    "block": "/calendar/block/?from=2026-12-21&to=2026-12-25",
    "pipelines": "/pipelines/",
    "pipeline": f"/pipelines/{SLUG}/",
    "runbooks": "/runbooks/",
    "runbook": f"/runbooks/{SLUG}/",
    "edit": f"/runbooks/{SLUG}/edit/",
    "revisions": f"/runbooks/{SLUG}/revisions/",
    "compare": f"/runbooks/{SLUG}/compare/",
    "search": "/search/?q=logs",
    "mine": "/me/",
    "messages": "/me/messages/",
    "ownership-grid": "/admin/pipelines/pipeline/ownership/",
    "api": "/api/v1/docs/",
}
# What the README shows; every other picture is for looking at, not for keeping.
KEPT = {"now-1280-light", "now-375-dark", "runbook-1280-light"}


def sign_in(page, *, name, password):
    page.goto("/sign-in/")
    page.get_by_label("User name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/")


def take(address, password, *, folder, wanted):
    """Take the pictures whose name `wanted` accepts."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for size, viewport in SIZES.items():
            for scheme in ("light", "dark"):
                context = browser.new_context(base_url=address, viewport=viewport, color_scheme=scheme, locale="en-GB")
                page = context.new_page()
                if wanted(f"sign-in-{size}-{scheme}"):
                    page.goto("/sign-in/")
                    page.screenshot(path=folder / f"sign-in-{size}-{scheme}.png", full_page=True)
                sign_in(page, name="admin", password=password)
                for name, path in PAGES.items():
                    if wanted(f"{name}-{size}-{scheme}"):
                        page.goto(path)
                        page.wait_for_load_state("networkidle")
                        page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
                context.close()


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    with tempfile.TemporaryDirectory() as var:
        site = Site(Path(var))
        try:
            address = site.address()
            password = re.search(r"admin\s+(\S+)", site.output)[1]
            take(address, password, folder=folder, wanted=lambda name: folder != FOLDER or name in KEPT)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
