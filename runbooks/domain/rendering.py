"""Render a runbook's GitHub Flavored Markdown to sanitised HTML by section, with plain text for search."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

import cmarkgfm
import nh3
from anyascii import anyascii
from cmarkgfm.cmark import Options

from runbooks.domain.evidence import CHECK_LANGUAGE, FIGURE, META, fence_check_lines, mark_blocks
from runbooks.domain.runbook_text import split_sections

# Raw HTML passes the parser and is sanitised afterwards.
CMARK_OPTIONS = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES | Options.CMARK_OPT_GITHUB_PRE_LANG
# Puts the words after a block's language into `data-meta` (CMARK_OPT_FULL_INFO_STRING, which cmarkgfm does not name).
FULL_INFO_STRING = 1 << 16
INLINE_TAGS = {"a", "abbr", "b", "br", "code", "del", "em", "i", "ins", "kbd", "mark", "s", "strong", "sub", "sup"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TABLE_TAGS = {"table", "thead", "tbody", "tfoot", "tr", "th", "td"}
TAGS = INLINE_TAGS | HEADINGS | TABLE_TAGS
TAGS |= {"blockquote", "dd", "dl", "dt", "hr", "img", "input", "li", "ol", "p", "pre", "section", "ul"}
ATTRIBUTES = {
    "a": {"aria-label", "href", "id", "title"},
    "abbr": {"title"},
    "img": {"alt", "src"},
    "input": {"type", "checked", "disabled"},
    "li": {"id"},
    "ol": {"start"},
    "pre": {"lang", "data-meta"},
    "section": {"class"},
    "td": {"align"},
    "th": {"align"},
}
# These elements are removed with their content. Other disallowed tags are removed but their text stays.
CONTENTS_REMOVED = {"script", "style", "title", "textarea", "iframe", "noscript", "template", "svg", "math", "object"}
SCHEMES = {"http", "https", "mailto"}
FOOTNOTE_ID = r"fn(?:ref)?-[\w%.-]{1,200}"
ALLOWED_VALUES = {
    ("a", "aria-label"): re.compile(r"Back to reference [\w-]{1,20}"),
    ("a", "id"): re.compile(FOOTNOTE_ID),
    ("input", "type"): re.compile(r"checkbox"),
    ("input", "checked"): re.compile(""),
    ("input", "disabled"): re.compile(""),
    ("li", "id"): re.compile(FOOTNOTE_ID),
    ("ol", "start"): re.compile(r"\d{1,9}"),
    ("pre", "lang"): re.compile(rf"[\w+#.-]{{1,40}}|{CHECK_LANGUAGE}"),
    ("pre", "data-meta"): META,
    ("section", "class"): re.compile(r"footnotes"),
    ("td", "align"): re.compile(r"left|right|center"),
    ("th", "align"): re.compile(r"left|right|center"),
}
# A note has no HTML. This character of the private use area stands for "<", which only a link in angle brackets keeps.
TAG_START = re.compile(r"<(?!(?:https?://|mailto:))")
NOT_A_TAG = "\ue000"
DONE_BOX = '<span aria-hidden="true">☑</span><span class="visually-hidden">Done:</span>'
OPEN_BOX = '<span aria-hidden="true">☐</span><span class="visually-hidden">To do:</span>'
REFERENCE = re.compile(r" {0,3}\[([^\]\n]{1,200})\]:[ \t]*\S.{0,500}")
LABEL = re.compile(r"\[([^\[\]\n]{1,200})\]")
# Deeper texts are nobody's runbook, and browsers cut them off at 512.
MAX_NESTING = 200
MAX_SECTIONS = 1000
BLOCK_TAG = re.compile(r"</?(?:p|li|ul|ol|dl|dt|dd|h[1-6]|pre|table|t[dhr]|blockquote|br|hr|figure|figcaption)\b")
SECTION_HEADING = 2
MAX_ANCHOR_LENGTH = 80


VOID_TAGS = {"br", "hr", "img", "input", "p", "wbr"}


class TooComplexError(ValueError):
    """The text has more levels of nesting or more sections than the limits."""


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

    Evidence blocks are figures (`runbooks.domain.evidence`). Raise TooComplexError if the text is too deeply nested or has too many
    sections. The HTML contains only the tags, attributes and URL schemes of the allow-lists above, and what this module adds.
    """
    sections = split_sections(markdown)
    if len(sections) > MAX_SECTIONS:
        raise TooComplexError(f"The text has {len(sections):,} sections. The limit is {MAX_SECTIONS:,}.")
    references = _references(section.markdown for section in sections)
    anchors: dict[str, int] = {}
    rendered = []
    for number, section in enumerate(sections, start=1):
        markdown = fence_check_lines(section.markdown)
        body = _body(markdown, references=references, number=number, options=CMARK_OPTIONS | FULL_INFO_STRING)
        title = _inline(section.title)
        anchor = _anchor(section.title, counts=anchors) if section.title else ""
        heading = f'<h2 id="{anchor}">{title}</h2>\n' if section.title else ""
        rendered.append(Section(title=_plain(title), anchor=anchor, html=heading + body, text=_searched_text(body)))
    return Rendered(tuple(rendered))


def render_note(markdown: str, *, number: int = 0) -> str:
    """Return a note as sanitised HTML, by the rules of `render`; each line end is a line break, and a tag is text, as in chat.

    `number` differs between the notes of a page, so that their footnotes have different ids. Raise TooComplexError as `render` does.
    """
    text = TAG_START.sub(NOT_A_TAG, markdown.replace(NOT_A_TAG, ""))
    rendered = _body(text, references={}, number=number, options=CMARK_OPTIONS | Options.CMARK_OPT_HARDBREAKS)
    return rendered.replace(NOT_A_TAG, "&lt;")


def _body(markdown: str, *, references: dict[str, str], number: int, options: int = CMARK_OPTIONS) -> str:
    used = dict.fromkeys(_label(match[1]) for match in LABEL.finditer(markdown))
    definitions = "\n".join(references[label] for label in used if label in references)
    converted = cmarkgfm.github_flavored_markdown_to_html(f"{markdown}\n\n{definitions}", options=options)
    clean = mark_blocks(_sanitise(converted, tags=TAGS))
    clean = re.sub(r"<input[^>]*>", lambda match: DONE_BOX if "checked" in match[0] else OPEN_BOX, clean)
    clean = re.sub(r'<li>(\s*(?:<p>)?)(?=<span aria-hidden="true">[☑☐])', r'<li class="task-list-item">\1', clean)
    # cmark-gfm names a block's programming language in `lang`, which HTML reserves for human languages.
    clean = clean.replace("<pre lang=", "<pre data-language=").replace("<pre", '<pre tabindex="0"')
    clean = clean.replace("<table>", '<div class="table-scroll" tabindex="0" role="group" aria-label="Table"><table>')
    # Footnotes of two sections must not share an id.
    clean = re.sub(r'(id="|href="#)(fn(?:ref)?-)', rf"\1section-{number}-\2", clean)
    return _normalize_heading_levels(_images_as_links(clean.replace("</table>", "</table></div>"))).strip()


def _images_as_links(text: str) -> str:
    """Return the HTML with a link for each image: pages load nothing from other sites (content security policy)."""
    is_in_link = False

    def link(match: re.Match[str]) -> str:
        nonlocal is_in_link
        if not match[0].startswith("<img"):
            is_in_link = match[0] != "</a>"
            return match[0]
        source, alt = (re.search(rf' {name}="([^"]*)"', match[0]) for name in ("src", "alt"))
        words = alt[1] if alt and alt[1].strip() else "image"
        return words if is_in_link or source is None else f'<a href="{source[1]}" rel="noopener noreferrer">{words}</a>'

    return re.sub(r"<a\b[^>]*>|</a>|<img\b[^>]*>", link, text)


def _inline(markdown: str) -> str:
    converted = cmarkgfm.github_flavored_markdown_to_html(markdown.lstrip("#"), options=CMARK_OPTIONS)
    return _sanitise(converted, tags=INLINE_TAGS - {"a", "br"}).strip()


def _sanitise(text: str, *, tags: set[str]) -> str:
    _check_nesting(text)
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


def _check_nesting(text: str) -> None:
    depth = 0
    for match in re.finditer(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)", text):
        if match[2].lower() not in VOID_TAGS:
            depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > MAX_NESTING:
            raise TooComplexError(f"The text is nested more than {MAX_NESTING} levels deep.")


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    pattern = ALLOWED_VALUES.get((tag, attribute))
    return value if pattern is None or pattern.fullmatch(value) else None


def _normalize_heading_levels(text: str) -> str:
    """Return the HTML with no skipped heading levels, starting at h3 below the section's h2."""
    previous = SECTION_HEADING
    tags: list[str] = []

    def level(match: re.Match[str]) -> str:
        nonlocal previous
        if match[1]:
            return f"</{tags.pop() if tags else 'h3'}>"
        previous = max(SECTION_HEADING + 1, min(int(match[2]) - 1, previous + 1))
        tags.append(f"h{previous}")
        return f"<h{previous}>"

    return re.sub(r"<(/?)h([1-6])>", level, text)


def _references(markdowns: Iterable[str]) -> dict[str, str]:
    """Return the definitions of links and footnotes in the whole text by label. Any section may use them."""
    references: dict[str, str] = {}
    for line in (line for markdown in markdowns for line in markdown.split("\n")):
        if match := REFERENCE.fullmatch(line):
            references.setdefault(_label(match[1]), line)
    return references


def _label(text: str) -> str:
    return " ".join(text.casefold().split())


def _anchor(title: str, *, counts: dict[str, int]) -> str:
    """Return a heading id that no other section has. `counts` holds how often each id was tried."""
    words = re.sub(r"[^a-z0-9]+", "-", anyascii(title).lower()).strip("-")[:MAX_ANCHOR_LENGTH].strip("-")
    stem = anchor = f"section-{words}" if words else "section"
    while anchor in counts:
        counts[stem] += 1
        anchor = f"{stem}-{counts[stem]}"
    counts[anchor] = 1
    return anchor


def _searched_text(body: str) -> str:
    """Return a section's words on one line and, if it has evidence blocks, those of the blocks on the next."""
    blocks = " ".join(match[0] for match in FIGURE.finditer(body))
    return "\n".join(filter(None, [_plain(FIGURE.sub(" ", body)), _plain(blocks)]))


def _plain(text: str) -> str:
    spaced = BLOCK_TAG.sub(lambda match: " " + match[0], text)
    return " ".join(html.unescape(nh3.clean(spaced, tags=set())).split())
