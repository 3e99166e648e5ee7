"""No page of a company's site, with a year behind it, has an axe finding or scrolls sideways.

The suite takes 16 engineers and 30 pipelines; EVERY_VIEW=1, as `make faults` sets it, takes 40 and 200.
"""

import pytest
from django.utils import timezone

from tests.axe import EVERY_VIEW, findings
from tests.screenshots import paths_of
from tests.states import COMPANY, Size, fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SIZE = COMPANY if EVERY_VIEW else Size(engineers=16, pipelines=30, incidents=20, metrics=4)
# The pages that grow with the site. The suite leaves out those of one row, which test_accessibility.py looks at.
LISTS = (  # noqa: SIM905
    "now incidents reports schedule week ask roster fairness calendar handoffs pipelines checks runbooks ownership-grid"
).split()
OTHERS = "swaps cover pipeline search mine messages admin system incident swap handoff check".split()  # noqa: SIM905


def test_pages_of_a_full_site_have_no_axe_findings(transactional_db, admin, open_page, complaints, tmp_path):
    """Axe looks at each page once, at one width in one scheme: at the next page in the next of the four views."""
    fill("full", admin=admin, folder=tmp_path, at=timezone.now(), size=SIZE)
    page = open_page(admin)
    paths, problems = paths_of(page), []
    for number, name in enumerate([*LISTS, *(OTHERS if EVERY_VIEW else ())]):
        assert page.goto(paths[name]).status == 200, name
        problems += findings(page, number=number, every_view=False)
    assert problems == []
    assert complaints == []
