"""What axe-core, and a ruler, find wrong with a page that is open: at both widths, in both schemes."""

import os

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import SIZES

# The suite asks axe about each page at one width in one scheme. `make faults` sets this variable, which asks in all four.
EVERY_VIEW = os.environ.get("EVERY_VIEW", "") == "1"
EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCHEMES = ("dark", "light")
# From one view to the next, one of the two changes.
VIEWS = [("375", "dark"), ("375", "light"), ("1280", "light"), ("1280", "dark")]
# Leaves out the list of passes, which takes longer to write than the rest to find, and does not load style sheets again, which only
# experimental rules need.
AXE_OPTIONS = {"runOnly": EVERY_RULE, "resultTypes": ["violations"], "preload": False}
# Django's admin fades from colour to colour.
RUN = """options => {
  document.getAnimations().forEach(animation => animation.finish());
  return axe.run(document, options).then(
    results => results.violations.map(({ id, help, nodes }) => ({ id, help, targets: nodes.map(node => node.target) })));
}"""


def findings(page, *, number=0, every_view=EVERY_VIEW):
    """Return what is wrong with the page as it stands: by the ruler at both widths, by axe in one view.

    Tests of several pages pass the page's number, so that what pages share, such as the frame, is checked in all four
    views. With `every_view`, each page is checked in all four.
    """
    width, scheme = VIEWS[number % len(VIEWS)]
    views = VIEWS if every_view else [(width, scheme)]
    # Ends at the width that axe needs.
    problems = [problem for other in sorted(SIZES, key=width.__eq__) for problem in sideways(page, width=other)]
    return problems + [problem for width, scheme in views for problem in found_in(page, width=width, scheme=scheme)]


def found_in(page, *, width, scheme):
    """Return what is wrong with the page at one width in one scheme."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    set_width(page, width)
    page.emulate_media(color_scheme=scheme)
    return [
        f"{page.url} at {width}, {scheme}: {one['id']}: {one['help']}: {one['targets']}"
        for one in page.evaluate(RUN, AXE_OPTIONS)
    ]


def sideways(page, *, width):
    """Return what a ruler says: a page never scrolls sideways as a whole."""
    page.wait_for_load_state()
    set_width(page, width)
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return [] if fits else [f"{page.url} scrolls sideways at {width}"]


def set_width(page, width):
    if page.viewport_size != SIZES[width]:
        page.set_viewport_size(SIZES[width])
