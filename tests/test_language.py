"""The product speaks plain English: give-away phrases of the old style fail here.

docs/glossary.md has the terms to use instead. `EXCEPTIONS` names each allowed use and why.
"""

import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parent.parent
APPS = (
    "calendar_feeds",
    "common",
    "handbook",
    "handoffs",
    "incidents",
    "notifications",
    "oncall_site",
    "people",
    "pipelines",
    "lineage",
    "readiness",
    "runbooks",
    "scheduling",
    "team_channels",
    "validation",
)
PHRASES = (
    r"\banew\b",
    r"\btold of\b",
    r"\b(?:is|are|was|were|be|been) told\b",
    r"\btold to nobody\b",
    r"\b(?:has|have|had) a part in\b",
    r"\bof so many\b",
    r"\bso (?:many|long)\b",
    r"\bstands? (?:on|in|here|there)\b",
    r"\bin spite of\b",
    r"\ball the same\b",
    r"\b(?:is|are) kept\b",
    r"\bkept for\b",
    r"\bwhoever\b",
    r"\b(?:of|for|to|by) who\b",
    r"\bsay that\b",
    r"\btells? whether\b",
    r"\bone[’']s own\b",
    r", say,",
    r"\bin force\b",
    r"\bby key\b",
    r"\bnobody has it\b",
    r"\bhas it\b",
    r"\bwho answers\b",
    r"\banswers? for\b",
    r"\bwrite it down\b",
    r"\brid of\b",
    r"\btak(?:e|es|en) back\b",
    r"\bof no (?:more )?use\b",
    r"\bto come\b",
    r"\bjudge[ds]?\b",
    r"\bthe site knows\b",
    r"\bthe house\b",
    r"\brooms?\b",
)
GIVEAWAY = re.compile("|".join(PHRASES), re.IGNORECASE)
# Headings name things: "somebody" has no place in one.
HEADING = re.compile(r"<(h[1-6]|th)\b[^>]*>(?P<text>.*?)</\1>", re.DOTALL)
# file: {matched text, lower case: why it is right there}
EXCEPTIONS: dict[str, dict[str, str]] = {}


def tracked(*patterns: str) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(path for path in set(listed.stdout.split()) if (ROOT / path).exists())


def code_files() -> list[str]:
    folders = {*APPS, "tests", "examples", "docs"}
    return [
        path
        for path in tracked("*.py")
        if path.split("/")[0] in folders and "/migrations/" not in path and path != "tests/test_language.py"
    ]


def template_files() -> list[str]:
    return tracked("templates/*.html", "templates/*.txt", "templates/**/*.html", "templates/**/*.txt")


def document_files() -> list[str]:
    return tracked("*.md", "docs/*.md", "docs/**/*.md")


def constants(code: CodeType) -> Iterator[tuple[int, str]]:
    """Yield the constant strings of a module's code, with the line on which its function or class starts."""
    todo = list(code.co_consts)
    while todo:
        match todo.pop():
            case str() as text:
                yield code.co_firstlineno, text
            case tuple() | frozenset() as items:
                todo += items
            case CodeType() as inner:
                yield from constants(inner)


def strings(path: str) -> list[tuple[int, str]]:
    """Return the strings and comments of a module with their lines: docstrings, messages, labels, help texts.

    Compiling takes a fraction of the time of a syntax tree.
    """
    source = (ROOT / path).read_bytes()
    code = compile(source, path, "exec", dont_inherit=True)
    literals = [(line, text) for line, text in constants(code) if " " in text]
    # Python's tokenizer is slow: it reads only modules with a phrase after a number sign.
    suspect = any(GIVEAWAY.search(line.partition("#")[2]) for line in source.decode().splitlines() if "#" in line)
    comments = [
        (token.start[0], token.string)
        for token in (tokenize.tokenize(io.BytesIO(source).readline) if suspect else ())
        if token.type == tokenize.COMMENT
    ]
    return literals + comments


def visible(path: str) -> list[tuple[int, str]]:
    """Return a template's text, line by line, without template tags and comments."""
    text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}", " ", (ROOT / path).read_text())
    return list(enumerate(text.splitlines(), 1))


def giveaways(path: str, lines: list[tuple[int, str]]) -> list[str]:
    allowed = EXCEPTIONS.get(path, {})
    return [
        f"{path}:{number}: “{match[0]}” in {text.strip()[:120]!r}"
        for number, text in lines
        for match in GIVEAWAY.finditer(text)
        if match[0].lower() not in allowed
    ]


def test_code_reads_as_plain_english():
    assert [phrase for path in code_files() for phrase in giveaways(path, strings(path))] == []


def test_pages_read_as_plain_english():
    wrong = []
    for path in template_files():
        headings = [match["text"] for match in HEADING.finditer((ROOT / path).read_text())]
        wrong += giveaways(path, visible(path))
        wrong += [f"{path}: {heading}" for heading in headings if re.search(r"\bsomebody\b", heading, re.IGNORECASE)]
    assert wrong == []


def test_documents_read_as_plain_english():
    lines = {path: list(enumerate((ROOT / path).read_text().splitlines(), 1)) for path in document_files()}
    assert [phrase for path in lines for phrase in giveaways(path, lines[path])] == []


def test_every_exception_is_still_needed():
    for path, allowed in EXCEPTIONS.items():
        text = (ROOT / path).read_text().lower()
        assert [phrase for phrase in allowed if phrase not in text] == []
