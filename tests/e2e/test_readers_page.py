"""The reader page and its forms: axe-clean at both widths, without JavaScript, and in print."""

import datetime as dt
import os

import pytest
from django.utils import timezone

from readiness.models import Publication, Restatement
from readiness.services.page_memory import pages
from readiness.services.readers import create_link, write_note
from tests.axe import findings
from tests.browser import SIZES
from tests.factories import make_pipeline
from tests.validation.fixtures import bucket, make_check, make_metric, push, run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# A folder for pictures of the page at both widths, in both schemes and in print.
PICTURES = os.environ.get("PICTURES", "")


@pytest.fixture
def link(transactional_db, a, b):
    now = timezone.now()
    rows = []
    for name, values in (
        ("Aggregate profit (investor reporting)", [20.0, 21.0]),
        ("Daily growth", [20.0, 2.0]),
        ("Engagement", []),
    ):
        pipeline = make_pipeline(name, primary=a, secondary=b, position=len(rows))
        metric = make_metric(pipeline, slug="users", name="Monthly active users by region", settle_minutes=0)
        check = make_check(pipeline, a, metric=metric, name="Range", parameters={"fail_below": 10.0})
        push(metric, values, at=now)
        run(check, at=now)
        rows.append(pipeline)
    write_note(rows[1], text="An invoice is late; we expect it at noon.", by=a, at=now)
    publication = Publication.objects.create(pipeline=rows[0], day=bucket(1, now).date(), published_at=now)
    Restatement.objects.create(
        publication=publication, metric=rows[0].metrics.get(), bucket=bucket(1, now), from_value=18.0, to_value=21.0,
        farthest_value=25.0, published_at=now - dt.timedelta(hours=3), changed_at=now, restated_at=now, settled_at=now,
    )  # fmt: skip
    yield create_link(name="Investor numbers", pipelines=rows, by=a)
    pages._pages.clear()  # other tests share the process


def test_the_page_and_the_form_are_accessible(link, open_page, complaints):
    page = open_page(javascript=False)
    path = f"/readers/{link.secret}/"
    for name, size in SIZES.items() if PICTURES else ():
        page.goto(path)
        page.set_viewport_size(size)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{PICTURES}/readers_{name}_{scheme}.png", full_page=True)
        page.emulate_media(media="print", color_scheme="light")
        page.screenshot(path=f"{PICTURES}/readers_{name}_print.png", full_page=True)
        page.emulate_media(media="screen")
    problems = []
    scripted = open_page()
    for number, one in enumerate((path, f"{path}subscribe/")):
        scripted.goto(one)
        problems += findings(scripted, number=2 * number)
    assert problems == []
    page.goto(path)
    page.get_by_role("link", name="Get e-mail updates").click()
    page.get_by_label("E-mail address").fill("reader@example.org")
    page.get_by_role("button", name="Subscribe").click()
    page.get_by_role("heading", name="Confirm your address").wait_for()
    assert complaints == []
