"""No page of a company's site, with a year behind it, has an axe finding or scrolls sideways.

The suite opens the lists of a site with 16 engineers and 16 pipelines, and asks axe only about what depends on how much there is:
colours, sizes and scrolling boxes. With EVERY_VIEW=1, which `make faults` sets, the test asks every rule on every page of a site
with 40 engineers and 200 pipelines.
"""

import pytest
from django.utils import timezone

from tests.axe import EVERY_VIEW, VIEWS, VISUAL_RULES, findings, found_in, sideways
from tests.screenshots import PAGES, paths_of
from tests.states import COMPANY, Size, fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZE = COMPANY if EVERY_VIEW else Size(engineers=16, pipelines=16, incidents=10, metrics=2, past_weeks=3)
# The pages that grow most with a site. The suite leaves out the others: test_accessibility.py has them on a small site.
LISTS = (  # noqa: SIM905
    "now incidents reports schedule week ask roster fairness calendar handoffs pipelines checks runbooks ownership-grid"
).split()
OTHERS = "swaps cover pipeline search mine messages admin system incident swap handoff check".split()  # noqa: SIM905


def problems_on(page, *, number):
    if EVERY_VIEW:
        return findings(page, number=number, every_view=False)
    width, scheme = VIEWS[number % 4]
    other_width, _ = VIEWS[number % 4 ^ 1]
    return [
        *found_in(page, width=width, scheme=scheme, rules=VISUAL_RULES, by_look=True),
        *sideways(page, width=other_width),
    ]


def test_pages_of_a_full_site_have_no_axe_findings(transactional_db, admin, open_page, complaints, tmp_path):
    """Axe checks each page in one of the four views, and the next page in the next one."""
    fill("full", admin=admin, folder=tmp_path, at=timezone.now(), size=SIZE)
    page = open_page(admin)
    names = [*LISTS, *OTHERS] if EVERY_VIEW else LISTS
    paths, problems = paths_of(page) if EVERY_VIEW else PAGES, []
    for number, name in enumerate(names):
        assert page.goto(paths[name]).status == 200, name
        problems += problems_on(page, number=number)
    assert problems == []
    assert complaints == []
