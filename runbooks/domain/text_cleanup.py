"""Clean up the text of a handbook: repair mis-encoded text, find code spans, and normalise names and values."""

import html
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator

from ftfy import TextFixerConfig, fix_text

from common.text import FORBIDDEN_CHARACTER
from people.domain.names import split_audience
from runbooks.domain.handbook_model import full_name

# Only decoding errors are repaired. Quotes, entities, widths and ligatures stay as typed.
FTFY_CONFIG = TextFixerConfig(
    unescape_html=False,
    restore_byte_a0=False,  # the right repair depends on what follows, and a cell must read the same in any row
    remove_terminal_escapes=False,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=False,
    remove_control_chars=False,
    normalization=None,
    explain=False,
)
# Each repair shortens the text, so a few rounds are enough.
MAX_REPAIR_ROUNDS = 20
CONTROL_CHARACTER = re.compile(rf"[\n\r]|{FORBIDDEN_CHARACTER.pattern}")
EMPHASIS = ("**", "__")


def mend(text: str) -> str:
    """Return a line with mis-encoded text repaired (such as `pipelineâ€™s`), except in code spans.

    Table cells are repaired one by one, so that a cell reads the same in any row.
    """
    if text.isascii():
        return text
    mended, end = [], 0
    for start, stop in code_spans(text):
        mended += [_mend_prose(text[end:start]), text[start:stop]]
        end = stop
    return "".join([*mended, _mend_prose(text[end:])])


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each code span in a line, including backticks (CommonMark 0.31, §6.1)."""
    runs = [match.span() for match in re.finditer(r"`+", text)]
    places: dict[int, list[int]] = {}
    for place, (start, stop) in enumerate(runs):
        places.setdefault(stop - start, []).append(place)
    place = 0
    while place < len(runs):
        start, stop = runs[place]
        same = places[stop - start]
        following = bisect_left(same, place + 1)
        if _is_escaped(text, start) or following == len(same):
            place += 1
            continue
        yield start, runs[same[following]][1]
        place = same[following] + 1


def has_lone_backtick(text: str) -> bool:
    """Return True if a backtick in the text does not start a code span."""
    covered = {at for start, stop in code_spans(text) for at in range(start, stop)}
    lone = (match.start() for match in re.finditer(r"`+", text) if match.start() not in covered)
    return any(not _is_escaped(text, at) for at in lone)


def tidy_name(text: str) -> str:
    """Return a normalised name: repaired, without bold marks around the whole name, with single spaces."""
    for _ in range(MAX_REPAIR_ROUNDS):
        tidied = _without_emphasis(" ".join(mend(text).split()))
        if tidied == text:
            break
        text = tidied
    return text


LINK = re.compile(r"!?\[([^\[\]]*)\](?:\([^()\s]*(?:\s+\"[^\"]*\")?\)|\[[^\[\]]*\])")
EMPHASIZED_TEXT = re.compile(r"(\*\*\*|\*\*|\*|__|_|~~|`)(?=\S)(.+)(?<=\S)\1")


def tidy_person(text: str) -> str:
    """Return a person's normalised name, without links, mentions, HTML entities, line breaks and emphasis."""
    for _ in range(MAX_REPAIR_ROUNDS):
        name = tidy_name(LINK.sub(r"\1", html.unescape(text)).strip().removeprefix("@"))
        match = EMPHASIZED_TEXT.fullmatch(name)
        name = match[2] if match and match[1] not in match[2] else name
        if name == text:
            break
        text = name
    return text


def tidy_pipeline(text: str) -> tuple[str, str]:
    """Return a pipeline's normalised name and audience."""
    for _ in range(MAX_REPAIR_ROUNDS):
        name, audience = map(tidy_name, split_audience(tidy_name(text)))
        tidied = full_name(name, audience=audience)
        if tidied == text:
            break
        text = tidied
    return split_audience(text)


def tidy_sentence(text: str) -> str:
    """Return a normalised line of Markdown: repaired, with single spaces."""
    for _ in range(MAX_REPAIR_ROUNDS):
        tidied = re.sub(r"[ \t]+", " ", mend(text)).strip(" ")
        if tidied == text:
            break
        text = tidied
    return text


def has_visible_text(text: str) -> bool:
    """Return True if a text contains a letter, digit or symbol, not only punctuation and spaces."""
    return any(unicodedata.category(character)[0] in "LNS" for character in text)


def quoted(text: str) -> str:
    """Return a text in quotation marks for a message, truncated to 60 characters."""
    return f"“{text if len(text) <= 60 else text[:59] + '…'}”"  # fits on a line of a terminal


def forbidden_character(text: str) -> str | None:
    """Return the first line break or forbidden character (`common.text`) as `U+0000`, or None."""
    match = CONTROL_CHARACTER.search(text)
    return f"U+{ord(match[0]):04X}" if match else None


def _mend_prose(text: str) -> str:
    return "|".join(_mend_piece(piece) for piece in text.split("|"))


def _mend_piece(piece: str) -> str:
    core = piece.strip(" \t")
    mended = core
    for _ in range(0 if core.isascii() else MAX_REPAIR_ROUNDS):
        again = fix_text(mended, FTFY_CONFIG)
        # A repair must not create control characters: “Ā¨” could be decoded as one, but is valid text.
        if again == mended or (forbidden_character(again) and not forbidden_character(mended)):
            break
        mended = again
    return piece.replace(core, mended, 1) if mended != core else piece


def _is_escaped(text: str, at: int) -> bool:
    first = at
    while first and text[first - 1] == "\\":
        first -= 1
    return (at - first) % 2 == 1


def _without_emphasis(text: str) -> str:
    for mark in EMPHASIS:
        inner = text[len(mark) : -len(mark)]
        if text.startswith(mark) and text.endswith(mark) and inner.strip(mark[0] + " ") and mark not in inner:
            return inner.strip()
    return text
