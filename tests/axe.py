"""Checks an open page with axe-core in views (a width and a colour scheme), and that it never scrolls sideways."""

from axe_playwright_python.base import AXE_SCRIPT

from tests.browser import EVERY_VIEW, SIZES

# The address at which the live server of tests/e2e serves axe. Chromium keeps a script that has an address compiled.
AXE_PATH = "/static/axe.js"

EVERY_RULE = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
SCHEMES = ("dark", "light")
# What colours and sizes decide: these rules are also asked in the opposite view.
VISUAL_RULES = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "target-size", "scrollable-region-focusable"],
}
# A view, its opposite, and the other two. So only every other page begins with a change of the scheme.
VIEWS = [("375", "dark"), ("1280", "light"), ("1280", "dark"), ("375", "light")]
# Leaves out the list of passes and the selectors of elements, which take longer to write than the rest takes to find.
# Does not load style sheets again, which only experimental rules need.
AXE_OPTIONS = {
    "resultTypes": ["violations", "incomplete"],
    "selectors": False,
    "elementRef": True,
    "preload": False,
}
# Contrast takes two thirds of axe's time, and most texts look like others: those of the frame on every page, those of a
# table in every row. The look of a text is its font, its colour and what is painted behind it. The look of a link
# includes whether it is part of a longer text. Axe checks one text or link of each look that has not passed before in
# this process. It does not check the size of targets that are large, or far from others, and that no other overlaps, or
# whether the keyboard reaches a box whose content fits or has a target: these always pass. If `known` is null, it checks
# everything.
RUN = """async ([options, known, address]) => {
  // Django's admin fades from colour to colour.
  document.getAnimations().forEach((animation) => animation.finish());
  const fits = document.documentElement.scrollWidth <= window.innerWidth;
  const backgrounds = new Map([[null, ""]]);
  const background = (element) => {
    if (!backgrounds.has(element)) {
      const { backgroundColor, backgroundImage, opacity, filter, position } = getComputedStyle(element);
      let own = "";
      if (backgroundColor !== "rgba(0, 0, 0, 0)") own += backgroundColor;
      if (backgroundImage !== "none") own += backgroundImage.slice(0, 99);
      if (opacity !== "1") own += ` opacity ${opacity}`;
      if (filter !== "none") own += filter;
      if (element.matches(":disabled, [aria-disabled=true]")) own += " disabled";
      // An element at such a position may lie over another one.
      if (!["static", "relative"].includes(position)) own += `${element.localName}.${element.getAttribute("class")}`;
      const behind = background(element.parentElement);
      backgrounds.set(element, own ? `${behind}/${own}` : behind);
    }
    return backgrounds.get(element);
  };
  const look = (element) => {
    const { color, fontSize, fontWeight, textShadow, textDecorationLine } = getComputedStyle(element);
    const parts = [background(element), color, fontSize, fontWeight, textShadow];
    const around = element.localName === "a" && element.parentElement;
    if (around) {
      const isPart = around.textContent.trim().length > element.textContent.trim().length;
      parts.push("a", textDecorationLine, isPart, isPart && getComputedStyle(around).color);
    }
    return parts.join();
  };
  const looks = new Map();
  const everything = [...document.querySelectorAll("*")];
  const findLooks = () => {
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
    return looks.values();
  };
  const focusable = everything.filter(
    (element) => (element.tabIndex >= 0 || element.hasAttribute("tabindex")) && element.checkVisibility());
  const isSmall = ({ width, height }) => width < 24 || height < 24;
  const distance = (x, y, { left, right, top, bottom }) =>
    Math.hypot(Math.max(left - x, x - right, 0), Math.max(top - y, y - bottom, 0));
  const fixedBox = (element) =>
    element && (getComputedStyle(element).position === "fixed" ? element : fixedBox(element.parentElement));
  const tightTargets = () => {
    // A box with targets in it, such as `main`, is no target itself.
    const boxes = new Set();
    for (const { parentElement } of focusable) {
      for (let box = parentElement; box && !boxes.has(box); box = box.parentElement) boxes.add(box);
    }
    const targets = focusable
      .filter((element) => !boxes.has(element))
      .map((element) => ({ element, box: element.getBoundingClientRect(), parts: [...element.getClientRects()] }))
      .sort((one, other) => one.box.top - other.box.top);
    const overlapping = new Set();
    targets.forEach(({ element, box }, place) => {
      for (const below of targets.slice(place + 1)) {
        if (below.box.top >= box.bottom) break;
        const overlaps = below.box.left < box.right && box.left < below.box.right;
        // What is behind a fixed bar can be scrolled from there.
        if (overlaps && fixedBox(element) === fixedBox(below.element)) overlapping.add(element).add(below.element);
      }
    });
    // A small target fails only if another one is close to the middle of one of its lines.
    const isClose = ({ element, box, parts }, x, y) =>
      parts.some((part) => distance(x, y, part) < 12) ||
      ((overlapping.has(element) || parts.every(isSmall)) && distance(x, y, box) < 24);
    const crowded = targets.filter((one) => {
      const middles = one.parts.map(({ left, right, top, bottom }) => [(left + right) / 2, (top + bottom) / 2]);
      return isSmall(one.box) && targets.some((other) =>
        other !== one && other.box.top < one.box.bottom + 24 && other.box.bottom > one.box.top - 24 &&
        middles.some(([x, y]) => isClose(other, x, y)));
    });
    return [...overlapping, ...crowded.map(({ element }) => element)];
  };
  const isScrolled = (element) =>
    (element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight) &&
    /auto|scroll/.test(getComputedStyle(element).overflow) &&
    !focusable.some((one) => one.tabIndex >= 0 && element.contains(one));
  const marks = { "data-new-look": "*", "data-tight": "*", "data-scrolled": "*" };
  const marked = known === null ? [] : Object.entries({
    "data-new-look": [...findLooks()],
    "data-tight": tightTargets(),
    "data-scrolled": everything.filter(isScrolled),
  });
  // These rules look only at marked elements, and there are none.
  if (known !== null && options.runOnly.type === "rule" && marked.every(([, elements]) => !elements.length)) {
    return [fits, [], ""];
  }
  for (const [name, elements] of marked) {
    marks[name] = `[${name}]`;
    for (const element of elements) element.setAttribute(name, "");
  }
  if (!("axe" in window)) {
    const script = Object.assign(document.createElement("script"), { src: address });
    await new Promise((resolve, reject) => {
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
    script.remove();
  }
  axe.configure({ rules: [
    { id: "color-contrast", selector: marks["data-new-look"] },
    { id: "link-in-text-block", selector: marks["data-new-look"].replace(/^\\*?/, "a[href]") },
    { id: "target-size", selector: marks["data-tight"] },
    { id: "scrollable-region-focusable", selector: `${marks["data-scrolled"].replace("*", "")}:not(select, textarea)` },
  ] });
  const { violations, incomplete } = await axe.run(document, options);
  const unclear = new Set([...violations, ...incomplete].flatMap(({ nodes }) => nodes.map(({ element }) => element)));
  for (const [name, elements] of marked) for (const element of elements) element.removeAttribute(name);
  const unmarked = ({ html }) => html.replace(/ data-(new-look|tight|scrolled)=""/g, "");
  return [
    fits,
    violations.map(({ id, help, nodes }) => ({ id, help, html: nodes.map(unmarked) })),
    [...looks].filter(([, element]) => !unclear.has(element)).map(([one]) => one).join("\\n"),
  ];
}"""
passed_looks = set()


def findings(page, *, number=0, every_view=EVERY_VIEW):
    """Return what is wrong with the page as it stands: by the ruler at both widths, by axe in one view and, for colours and sizes, in
    the opposite one.

    Tests of several pages pass the page's number, so that what pages share, such as the frame, is checked in all four
    views. With `every_view`, each page is checked in all four by every rule.
    """
    one, other = VIEWS[number % 4], VIEWS[number % 4 ^ 1]
    views = [(view, EVERY_RULE) for view in VIEWS] if every_view else [(other, VISUAL_RULES), (one, EVERY_RULE)]
    # Begin with the page's current width: a resize takes time.
    views.sort(key=lambda view: SIZES[view[0][0]] != page.viewport_size)
    page.wait_for_load_state()
    problems = []
    for (width, scheme), rules in views:
        problems += found_in(page, width=width, scheme=scheme, rules=rules, by_look=not every_view)
    return list(dict.fromkeys(problems))


def found_in(page, *, width, scheme, rules, by_look):
    """Return what is wrong with the page at one width in one scheme."""
    set_width(page, width)
    set_scheme(page, scheme)
    if not page.url.startswith("http"):
        page.evaluate(AXE_SCRIPT)
    options = {**AXE_OPTIONS, "runOnly": rules}
    fits, violations, passed = page.evaluate(RUN, [options, "\n".join(passed_looks) if by_look else None, AXE_PATH])
    passed_looks.update(passed.split("\n"))
    problems = [] if fits else [wide(page, width)]
    return problems + [
        f"{page.url} at {width}, {scheme}: {one['id']}: {one['help']}: {one['html']}" for one in violations
    ]


def wide(page, width):
    return f"{page.url} scrolls sideways at {width}"


def sideways(page, *, width):
    """Return a problem if the page as a whole scrolls sideways."""
    page.wait_for_load_state()
    set_width(page, width)
    fits = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    return [] if fits else [wide(page, width)]


def set_scheme(page, scheme):
    """Change the colour scheme, unless it is the one that was set last: Chromium would compute all styles again."""
    if page.scheme != scheme:
        page.emulate_media(color_scheme=scheme)
        page.scheme = scheme


def set_width(page, width):
    if page.viewport_size != SIZES[width]:
        page.set_viewport_size(SIZES[width])
