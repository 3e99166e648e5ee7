"""What axe-core, and a ruler, find wrong with a page that is open: at both widths, in both schemes."""

import os

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import SIZES

# The address at which the live server of tests/e2e has axe: Chromium keeps a script of an address compiled.
AXE_PATH = "/static/axe.js"

# The suite asks axe about each page at one width in one scheme. `make faults` sets this variable, which asks in all four.
EVERY_VIEW = os.environ.get("EVERY_VIEW", "") == "1"
EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCHEMES = ("dark", "light")
# From one view to the next, one of the two changes.
VIEWS = [("375", "dark"), ("375", "light"), ("1280", "light"), ("1280", "dark")]
# Leaves out the list of passes and how to select an element, which takes longer to write than the rest to find, and does not load
# style sheets again, which only experimental rules need.
AXE_OPTIONS = {
    "runOnly": EVERY_RULE,
    "resultTypes": ["violations", "incomplete"],
    "selectors": False,
    "elementRef": True,
    "preload": False,
}
# Contrast takes two thirds of axe's time, and most texts look as others do: the frame's on every page, those of a table in every row.
# The look of a text is its font and colour, and what is painted behind it; that of a link also whether it is part of a text. Of each
# look that axe has not passed before in this process, one text or link is asked about.
RUN = """([options, known]) => {
  const grounds = new Map([[null, ""]]);
  const ground = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } = getComputedStyle(element);
      let own = "";
      if (backgroundColor !== "rgba(0, 0, 0, 0)") own += backgroundColor;
      if (backgroundImage !== "none") own += backgroundImage.slice(0, 99);
      if (opacity !== "1") own += ` opacity ${opacity}`;
      if (filter !== "none") own += filter;
      if (element.matches(":disabled, [aria-disabled=true]")) own += " disabled";
      // What may lie over something else.
      if (!["static", "relative"].includes(position)) own += `${element.localName}.${element.getAttribute("class")}`;
      const behind = ground(element.parentElement);
      grounds.set(element, own ? `${behind}/${own}` : behind);
    }
    return grounds.get(element);
  };
  const look = (element) => {
    const { color, fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(element);
    const parts = [ground(element), color, fontSize, fontWeight, textShadow];
    const around = element.localName === "a" && element.parentElement;
    if (around) {
      const isPart = around.textContent.trim().length > element.textContent.trim().length;
      parts.push("a", textDecorationLine, isPart, isPart && getComputedStyle(around).color);
    }
    return parts.join();
  };
  const looks = new Map();
  if (known !== null) {
    const passed = new Set(known.split("\\n"));
    const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const elements = new Set(document.querySelectorAll("a[href], input, select, textarea"));
    while (words.nextNode()) if (words.currentNode.data.trim()) elements.add(words.currentNode.parentElement);
    for (const element of elements) {
      const [box] = element.getClientRects();
      if (box?.width > 1 && box.height > 1) {
        const one = look(element);
        if (!passed.has(one) && !looks.has(one)) looks.set(one, element);
      }
    }
    for (const element of looks.values()) element.setAttribute("data-new-look", "");
  }
  // Django's admin fades from colour to colour.
  document.getAnimations().forEach((animation) => animation.finish());
  const which = known === null ? "" : "[data-new-look]";
  axe.configure({ rules: [
    { id: "color-contrast", selector: which || "*" },
    { id: "link-in-text-block", selector: `a[href]${which}` },
  ] });
  return axe.run(document, options).then(({ violations, incomplete }) => {
    const unclear = new Set([...violations, ...incomplete].flatMap(({ nodes }) => nodes.map(({ element }) => element)));
    for (const element of looks.values()) element.removeAttribute("data-new-look");
    return [
      violations.map(({ id, help, nodes }) => ({ id, help, html: nodes.map(({ html }) => html.replace(' data-new-look=""', "")) })),
      [...looks].filter(([, element]) => !unclear.has(element)).map(([one]) => one).join("\\n"),
    ];
  });
}"""
passed_looks = set()


def findings(page, *, number=0, every_view=EVERY_VIEW):
    """Return what is wrong with the page as it stands: by the ruler at both widths, by axe in one view.

    Tests of several pages pass the page's number, so that what pages share, such as the frame, is checked in all four
    views. With `every_view`, each page is checked in all four.
    """
    width, scheme = VIEWS[number % len(VIEWS)]
    views = VIEWS if every_view else [(width, scheme)]
    # Ends at the width that axe needs.
    problems = [problem for other in sorted(SIZES, key=width.__eq__) for problem in sideways(page, width=other)]
    return problems + [
        problem
        for width, scheme in views
        for problem in found_in(page, width=width, scheme=scheme, by_look=not every_view)
    ]


def found_in(page, *, width, scheme, by_look):
    """Return what is wrong with the page at one width in one scheme."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        load_axe(page)
    set_width(page, width)
    page.emulate_media(color_scheme=scheme)
    problems, passed = page.evaluate(RUN, [AXE_OPTIONS, "\n".join(passed_looks) if by_look else None])
    passed_looks.update(passed.split("\n"))
    return [f"{page.url} at {width}, {scheme}: {one['id']}: {one['help']}: {one['html']}" for one in problems]


def load_axe(page):
    if page.url.startswith("http"):
        page.add_script_tag(url=AXE_PATH)
    else:
        page.evaluate(AXE_SCRIPT)


def sideways(page, *, width):
    """Return what a ruler says: a page never scrolls sideways as a whole."""
    page.wait_for_load_state()
    set_width(page, width)
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return [] if fits else [f"{page.url} scrolls sideways at {width}"]


def set_width(page, width):
    if page.viewport_size != SIZES[width]:
        page.set_viewport_size(SIZES[width])
