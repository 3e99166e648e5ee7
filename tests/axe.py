"""What axe-core, and a ruler, find wrong with a page that is open: at both widths, in both schemes."""

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import SIZES

EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# What colours and sizes decide. The schemes differ in colours alone (test_accessibility.py holds that), the widths in layout.
VISUAL_RULES = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}
SCHEMES = ("dark", "light")


def findings(page, *, number=0):
    """Return what is wrong with the page as it stands: every rule at one width, the visual ones in the other scheme at the other.

    Pages that are looked at in turn pass their number: what they share, such as the frame, is seen from all four sides.
    """
    widths = list(SIZES) if number % 2 else list(reversed(SIZES))
    schemes = SCHEMES if number % 4 < 2 else tuple(reversed(SCHEMES))
    problems = []
    for width, scheme, rules in zip(widths, schemes, (VISUAL_RULES, EVERY_RULE), strict=True):
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
    # Without the list of all that passed, which takes longer to write than the rest to find.
    results = page.evaluate("how => axe.run(document, how)", {"runOnly": rules, "resultTypes": ["violations"]})
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
