"""Evidence blocks of a runbook: SQL queries and checks whose rows an incident shows under the step.

A block is a fenced block that starts with `sql source=<name>` or `check: <slug>`, or a line `check: <slug>`. In
rendered HTML it is a figure. The sanitiser removes every other figure, so that nothing else can pass for a block.
"""

import hashlib
import html
import re
from collections.abc import Callable, Container
from dataclasses import dataclass

SQL, CHECK = "sql", "check"
MAX_NAME_LENGTH = 120
# At most MAX_NAME_LENGTH characters.
SLUGS = rf"(?=[a-z0-9/-]{{1,{MAX_NAME_LENGTH}}}(?![a-z0-9/-]))[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z0-9]+)*)?"
CHECK_LINE = re.compile(rf"( *)check: ({SLUGS})[ \t]*")
FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
# The words after the language of a fenced block, as the sanitiser leaves them.
META = re.compile(
    rf' *(?:source=(?:"[^"<>]{{1,{MAX_NAME_LENGTH}}}"|[^"<>\s][^"<>]{{0,{MAX_NAME_LENGTH - 1}}})|{SLUGS}) *'
)
SQL_META = re.compile(r'source="?([^"]+)"?')
CHECK_LANGUAGE = "check:"
PRE = re.compile(r"<pre((?: [\w-]+=\"[^\"]*\")*)>(.*?)</pre>", re.DOTALL)
# The HTML of a fenced block. With raw HTML tags in it, the text that people see would not be the text that runs.
PLAIN_CODE = re.compile(r"<code>[^<]*</code>")
ATTRIBUTE = re.compile(r' ([\w-]+)="([^"]*)"')
FIGURE = re.compile(
    r'<figure class="evidence" data-evidence="(sql|check)" data-name="([^"]*)">(.*?)</figure>', re.DOTALL
)
CODE = re.compile(r"<code>(.*?)</code>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class EvidenceBlock:
    """A block: `name` is the data source of SQL, or the slug of a check, after a pipeline's slug and a slash for another pipeline."""

    kind: str
    name: str
    query: str = ""

    @property
    def key(self) -> str:
        """A hash that identifies the block by its source and text."""
        return hashlib.sha256(f"{self.kind}\0{self.name}\0{self.query}".encode()).hexdigest()


def fence_check_lines(markdown: str) -> str:
    """Return a text in which each line `check: <slug>` outside code is a fenced block."""
    if "check: " not in markdown:
        return markdown
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        match = FENCE.fullmatch(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                fence = ""
        elif match:
            fence = match[1]
        elif check := CHECK_LINE.fullmatch(line):
            lines.append(f"{check[1]}```check: {check[2]}\n{check[1]}```")
            continue
        lines.append(line)
    return "\n".join(lines)


def mark_blocks(clean: str) -> str:
    """Return sanitised HTML with a figure for each evidence block, and no words after the language of other blocks."""
    return PRE.sub(_figure, clean)


def _figure(match: re.Match[str]) -> str:
    attributes = dict(ATTRIBUTE.findall(match[1]))
    language, meta = attributes.get("lang", ""), html.unescape(attributes.pop("data-meta", "")).strip()
    other_attributes = "".join(f' {name}="{value}"' for name, value in attributes.items())
    pre = f"<pre{other_attributes}>{match[2]}</pre>"
    if not PLAIN_CODE.fullmatch(match[2]):
        return pre
    if language == CHECK_LANGUAGE and re.fullmatch(SLUGS, meta):
        caption = f"Check <code>{meta}</code>"
        return f'<figure class="evidence" data-evidence="check" data-name="{meta}"><figcaption>{caption}</figcaption></figure>'
    source = SQL_META.fullmatch(meta)
    if language != SQL or source is None:
        return pre
    name = html.escape(source[1].strip())
    caption = f"Query on {name}"
    return f'<figure class="evidence" data-evidence="sql" data-name="{name}"><figcaption>{caption}</figcaption>{pre}</figure>'


def evidence_blocks(rendered: str) -> tuple[EvidenceBlock, ...]:
    """Return the evidence blocks of rendered HTML, in order."""
    return tuple(_block(match) for match in FIGURE.finditer(rendered))


def without_blocks(rendered: str, *, keys: Container[str] | None = None) -> str:
    """Return rendered HTML without its evidence blocks, or without those with these keys."""
    return FIGURE.sub(lambda match: "" if keys is None or _block(match).key in keys else match[0], rendered)


def extend_blocks(rendered: str, *, addition: Callable[[EvidenceBlock], str]) -> str:
    """Return rendered HTML with more HTML at the end of each evidence block."""
    return FIGURE.sub(
        lambda match: match[0].removesuffix("</figure>") + addition(_block(match)) + "</figure>", rendered
    )


def _block(match: re.Match[str]) -> EvidenceBlock:
    code = CODE.search(match[3]) if match[1] == SQL else None
    return EvidenceBlock(match[1], html.unescape(match[2]), html.unescape(code[1]).strip() if code else "")
