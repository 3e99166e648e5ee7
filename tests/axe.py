"""What axe-core, and a ruler, find wrong with a page that is open: at both widths, in both schemes."""

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import SIZES

EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
# The schemes differ in colours alone (test_accessibility.py holds that), and no other rule of axe looks at colours.
RULES_OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SCHEMES = ("dark", "light")


def findings(page):
    """Return what is wrong with the page as it stands, by width and scheme; it is left in light at 1280, as it is opened."""
    found = []
    for width in reversed(SIZES):
        found += sideways(page, width=width)
        for scheme in SCHEMES:
            found += found_in(
                page, width=width, scheme=scheme, rules=RULES_OF_COLOURS if scheme == "dark" else EVERY_RULE
            )
    return found


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
    said = page.evaluate("how => axe.run(document, how)", {"runOnly": rules, "resultTypes": ["violations"]})
    return [
        f"{page.url} at {width}, {scheme}: {one['id']}: {one['help']}: {[node['target'] for node in one['nodes']]}"
        for one in said["violations"]
    ]


def sideways(page, *, width):
    """Return what a ruler says: a page never scrolls sideways as a whole."""
    page.wait_for_load_state()
    page.set_viewport_size(SIZES[width])
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return [] if fits else [f"{page.url} scrolls sideways at {width}"]
