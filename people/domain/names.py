"""Name matching, user names and slugs."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from anyascii import anyascii

MAX_IDENTIFIER_LENGTH = 60
# “jon” and “john” are alike, “wei” and “wen” are not.
MIN_LIKENESS = 0.75
# Symbols that count as punctuation, like spacing accents.
PUNCTUATION_LIKE = frozenset("|~")


@lru_cache(maxsize=1_000)  # names repeat: an import compares each with all others
def match_key(name: str) -> str:
    """Return a normalized key for comparing names; equal keys mean the same name (docs/rules.md).

    The key ignores case, width, punctuation, dashes and spaces. It keeps letters, digits and marks of any script, and
    symbols such as emoji. It is empty only for a name without visible characters.
    """
    folded = _folded(name)
    words = "".join(_key_character(character) for character in folded)
    return " ".join(words.split()) or "".join(character for character in folded if _is_visible(character))


def resembles(name: str, other: str) -> bool:
    """Return True if two different names may mean one person: a misspelling, an initial, a missing or moved word.

    “Priya Oneil” resembles “Priya O'Neil”, “P. O'Neil” and “Priya”; “Engineer A” does not resemble “Engineer B”.
    """
    words, others = (_latin_words(text) for text in (name, other))
    if not words or not others:
        return False
    if "".join(words) == "".join(others):
        return True
    shorter, longer = sorted((words, others), key=len)
    left, whole_words = list(longer), 0
    for word in shorter:
        match = next((candidate for candidate in left if _same_word(word, candidate)), None)
        if match is None:
            return False
        left.remove(match)
        whole_words += len(word) > 1 and len(match) > 1
    return whole_words > 0


def split_audience(name: str) -> tuple[str, str]:
    """Return a pipeline's name and the audience, which is the last pair of brackets at the end ("" without one).

    Brackets that are unbalanced, empty or the whole name are part of the name.
    """
    name = name.strip()
    opening = _last_bracket_start(name)
    audience = name[opening + 1 : -1].strip()
    before = name[:opening].strip()
    return (before, audience) if before and audience else (name, "")


def initials(display_name: str) -> str:
    """Return at most two letters: the first letters of the first and the last word of the name."""
    words = display_name.split()
    return "".join(word[0].upper()[0] for word in (words if len(words) < 3 else (words[0], words[-1])))


def user_name_for(display_name: str, taken: Collection[str]) -> str:
    """Return a user name (`engineer-a` for "Engineer A") that is not taken: ASCII, at most 60 characters, never empty."""
    return _identifier(display_name, taken=taken, default="engineer")


def slug_for(name: str, taken: Collection[str]) -> str:
    """Return a slug that is not taken: ASCII letters, digits and single dashes, at most 60 characters, never empty."""
    return _identifier(name, taken=taken, default="pipeline")


def _latin_words(name: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", anyascii(match_key(name)).lower())


def _same_word(word: str, other: str) -> bool:
    """Return True if two words of names are equal, an initial and its word, or alike without digits."""
    if word == other:
        return True
    if len(word) == 1 or len(other) == 1:
        return word[0] == other[0] and word.isalpha() and other.isalpha() and len(word) != len(other)
    alike = difflib.SequenceMatcher(a=word, b=other, autojunk=False).ratio() >= MIN_LIKENESS
    return alike and word.isalpha() and other.isalpha()


def _folded(name: str) -> str:
    # NFKC may change folded text and vice versa. Two rounds are stable for all of Unicode.
    for _ in range(2):
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return name


def _key_character(character: str) -> str:
    """Return the character for the key: itself, a space, or an empty string."""
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""  # joiners, direction marks and variation selectors only change the appearance
    if category[0] in "LNM" or (category[0] == "S" and category != "Sk" and character not in PUNCTUATION_LIKE):
        return character
    return " "


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "ZC"


def _last_bracket_start(name: str) -> int:
    """Return the index of the bracket that the last character closes, or 0 if there is none."""
    depth = 0
    for index in range(len(name) - 1, -1, -1) if name.endswith(")") else ():
        depth += {")": 1, "(": -1}.get(name[index], 0)
        if depth == 0:
            return index
    return 0


def _identifier(name: str, *, taken: Collection[str], default: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-")
    stem = stem[:MAX_IDENTIFIER_LENGTH].rstrip("-") or default
    occupied = {other.lower() for other in taken}
    identifier, number = stem, 1
    while identifier in occupied:
        number += 1
        suffix = f"-{number}"
        identifier = stem[: MAX_IDENTIFIER_LENGTH - len(suffix)].rstrip("-") + suffix
    return identifier
