"""Render a runbook's Markdown to sanitised HTML by section, with plain text for search."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

import markdown as python_markdown
import nh3
from anyascii import anyascii

from runbooks.domain.runbook_text import sections_of

EXTENSIONS = ["tables", "fenced_code", "sane_lists", "pymdownx.tasklist"]
# Column alignment is an attribute because the content security policy forbids inline styles.
EXTENSION_CONFIGS = {"tables": {"use_align_attribute": True}}
INLINE_TAGS = {"a", "abbr", "b", "br", "code", "del", "em", "i", "ins", "kbd", "mark", "s", "strong", "sub", "sup"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TABLE_TAGS = {"table", "thead", "tbody", "tfoot", "tr", "th", "td"}
TAGS = INLINE_TAGS | HEADINGS | TABLE_TAGS
TAGS |= {"blockquote", "dd", "dl", "dt", "hr", "input", "li", "ol", "p", "pre", "ul"}
ATTRIBUTES = {
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "input": {"type", "checked", "disabled"},
    "li": {"class"},
    "ol": {"start"},
    "td": {"align"},
    "th": {"align"},
    "ul": {"class"},
}
# These elements are removed with their content. Other disallowed tags are removed but their text stays.
CONTENTS_REMOVED = {"script", "style", "title", "textarea", "iframe", "noscript", "template", "svg", "math", "object"}
SCHEMES = {"http", "https", "mailto"}
ALLOWED_VALUES = {
    ("input", "type"): re.compile(r"checkbox"),
    ("input", "checked"): re.compile(""),
    ("input", "disabled"): re.compile(""),
    ("code", "class"): re.compile(r"language-[\w+-]{1,40}"),
    ("li", "class"): re.compile(r"task-list-item"),
    ("ul", "class"): re.compile(r"task-list"),
    ("ol", "start"): re.compile(r"\d{1,9}"),
    ("td", "align"): re.compile(r"left|right|center"),
    ("th", "align"): re.compile(r"left|right|center"),
}
DONE = '<span aria-hidden="true">☑</span><span class="visually-hidden">Done:</span>'
OPEN = '<span aria-hidden="true">☐</span><span class="visually-hidden">To do:</span>'
REFERENCE = re.compile(r" {0,3}\[[^\]\n]{1,200}\]:[ \t]*\S")
BLOCK_TAG = re.compile(r"</?(?:p|li|ul|ol|dl|dt|dd|h[1-6]|pre|table|t[dhr]|blockquote|br|hr)\b")
SECTION_HEADING = 2
LONGEST_ANCHOR = 80


@dataclass(frozen=True, slots=True)
class Section:
    """A rendered section: its plain title, heading id, HTML including the heading, and plain text."""

    title: str
    anchor: str
    html: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A rendered runbook as a sequence of sections."""

    sections: tuple[Section, ...]

    @property
    def html(self) -> str:
        """The whole text as sanitised HTML."""
        return "\n".join(section.html for section in self.sections)


def render(markdown: str) -> Rendered:
    """Return the rendered text. Each section has an h2, and headings in it start at h3 (WCAG 2.2, 1.3.1).

    The HTML contains only the tags, attributes and URL schemes of the allow-lists above, and what this module adds.
    """
    sections = sections_of(markdown)
    references = _references(section.markdown for section in sections)
    anchors: set[str] = set()
    rendered = []
    for section in sections:
        body = _body(section.markdown, references=references)
        title = _inline(section.title)
        anchor = _anchor(section.title, taken=anchors) if section.title else ""
        anchors.add(anchor)
        heading = f'<h2 id="{anchor}">{title}</h2>\n' if section.title else ""
        rendered.append(Section(title=_plain(title), anchor=anchor, html=heading + body, text=_plain(body)))
    return Rendered(tuple(rendered))


def _body(markdown: str, *, references: str) -> str:
    converted = python_markdown.markdown(
        f"{markdown}\n\n{references}", extensions=EXTENSIONS, extension_configs=EXTENSION_CONFIGS, tab_length=2
    )
    clean = _sanitised(converted, tags=TAGS)
    clean = re.sub(r"<input[^>]*>", lambda found: DONE if "checked" in found[0] else OPEN, clean)
    clean = clean.replace("<pre>", '<pre tabindex="0">')
    clean = clean.replace("<table>", '<div class="table-scroll" tabindex="0" role="group" aria-label="Table"><table>')
    return _levelled(clean.replace("</table>", "</table></div>"))


def _inline(markdown: str) -> str:
    converted = python_markdown.markdown(markdown.lstrip("#"), extensions=["sane_lists"])
    return _sanitised(converted, tags=INLINE_TAGS - {"a", "br"}).strip()


def _sanitised(text: str, *, tags: set[str]) -> str:
    return nh3.clean(
        text,
        tags=tags,
        attributes={tag: names for tag, names in ATTRIBUTES.items() if tag in tags},
        clean_content_tags=CONTENTS_REMOVED,
        attribute_filter=_allowed,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        strip_comments=True,
    )


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    pattern = ALLOWED_VALUES.get((tag, attribute))
    return value if pattern is None or pattern.fullmatch(value) else None


def _levelled(text: str) -> str:
    """Return the HTML with no skipped heading levels, starting at h3 below the section's h2."""
    previous = SECTION_HEADING
    tags: list[str] = []

    def level(found: re.Match[str]) -> str:
        nonlocal previous
        if found[1]:
            return f"</{tags.pop() if tags else 'h3'}>"
        previous = max(SECTION_HEADING + 1, min(int(found[2]) - 1, previous + 1))
        tags.append(f"h{previous}")
        return f"<h{previous}>"

    return re.sub(r"<(/?)h([1-6])>", level, text)


def _references(markdowns: Iterable[str]) -> str:
    """Return the link definitions of the whole text, which any section may use."""
    return "\n".join(line for text in markdowns for line in text.split("\n") if REFERENCE.match(line))


def _anchor(title: str, *, taken: set[str]) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", anyascii(title).lower()).strip("-")[:LONGEST_ANCHOR].strip("-")
    stem = f"section-{words}" if words else "section"
    anchor, number = stem, 1
    while anchor in taken:
        number += 1
        anchor = f"{stem}-{number}"
    return anchor


def _plain(text: str) -> str:
    spaced = BLOCK_TAG.sub(lambda found: " " + found[0], text)
    return " ".join(html.unescape(nh3.clean(spaced, tags=set())).split())
