"""What axe-core, and a ruler, find wrong with a page that is open: at both widths, in both schemes."""

import itertools
import os

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import SIZES

# The suite checks each page in two combinations of width and scheme. `make faults` sets this variable, which checks all four.
EVERY_VIEW = os.environ.get("EVERY_VIEW", "") == "1"
EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What colours and sizes decide. The schemes differ in colours alone (test_accessibility.py holds that), the widths in layout.
VISUAL_RULES = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}
SCHEMES = ("dark", "light")
# Leaves out the list of passes, which takes longer to write than the rest to find, and does not load style sheets again, which only
# experimental rules need.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}


def findings(page, *, number=0, every_view=EVERY_VIEW):
    """Return what is wrong with the page as it stands: every rule at one width, the visual ones in the other scheme at the other.

    Tests of several pages pass the page's number, so that what pages share, such as the frame, is checked in all four
    combinations. With `every_view`, each page is checked in all four by every rule.
    """
    widths = list(SIZES) if number % 2 else list(reversed(SIZES))
    schemes = SCHEMES if number % 4 < 2 else tuple(reversed(SCHEMES))
    views = list(zip(widths, schemes, (VISUAL_RULES, EVERY_RULE), strict=True))
    if every_view:
        views = list(itertools.product(widths, schemes, [EVERY_RULE]))
    problems = []
    for width, scheme, rules in views:
        problems += sideways(page, width=width)
        problems += found_in(page, width=width, scheme=scheme, rules=rules)
    return problems


def found_in(page, *, width, scheme, rules=EVERY_RULE):
    """Return what is wrong with the page at one width in one scheme."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.set_viewport_size(SIZES[width])
    page.emulate_media(color_scheme=scheme)
    # Django's admin fades from colour to colour.
    page.evaluate("document.getAnimations().forEach(one => one.finish())")
    results = page.evaluate("how => axe.run(document, how)", {"runOnly": rules, **AXE_OPTIONS})
    return [
        f"{page.url} at {width}, {scheme}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}"
        for one in results["violations"]
    ]


def sideways(page, *, width):
    """Return what a ruler says: a page never scrolls sideways as a whole."""
    page.wait_for_load_state()
    page.set_viewport_size(SIZES[width])
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return [] if fits else [f"{page.url} scrolls sideways at {width}"]
