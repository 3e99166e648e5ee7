"""Name matching, user names and slugs."""

import re
import unicodedata
from collections.abc import Collection

from anyascii import anyascii

LONGEST_IDENTIFIER = 60
# Treat these two, like spacing accents, as punctuation.
PUNCTUATION_LIKE = frozenset("|~")


def match_key(name: str) -> str:
    """Return a normalized key for comparing names; equal keys mean the same name (docs/rules.md).

    Letter case, width, punctuation, dashes and spaces do not count; letters, digits and marks of any script do, and so do
    symbols such as emoji. The key is empty only for a name without anything visible.
    """
    folded = _folded(name)
    words = "".join(_counted(character) for character in folded)
    return " ".join(words.split()) or "".join(character for character in folded if _is_visible(character))


def split_audience(name: str) -> tuple[str, str]:
    """Return a pipeline's name and the audience, which is the last pair of brackets at the end ("" without one).

    Raises nothing: brackets that do not pair, are empty or are all there is belong to the name.
    """
    name = name.strip()
    opening = _opening_of_last_pair(name)
    audience = name[opening + 1 : -1].strip()
    before = name[:opening].strip()
    return (before, audience) if before and audience else (name, "")


def user_name_for(display_name: str, taken: Collection[str]) -> str:
    """Return a user name (`engineer-a` for "Engineer A") that is not taken: ASCII, at most 60 characters, never empty."""
    return _identifier(display_name, taken=taken, otherwise="engineer")


def slug_for(name: str, taken: Collection[str]) -> str:
    """Return a pipeline's slug that is not taken: ASCII letters, digits and single dashes, at most 60, never empty."""
    return _identifier(name, taken=taken, otherwise="pipeline")


def _folded(name: str) -> str:
    # Folding may leave text that NFKC changes and the other way round; two rounds settle all of Unicode.
    for _ in range(2):
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return name


def _counted(character: str) -> str:
    """Return what a character adds to a key: itself, a space between words, or nothing."""
    category = unicodedata.category(character)
    if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
        return ""  # joiners, direction marks and variation selectors change how a word looks, not which it is
    if category[0] in "LNM" or (category[0] == "S" and category != "Sk" and character not in PUNCTUATION_LIKE):
        return character
    return " "


def _is_visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "ZC"


def _opening_of_last_pair(name: str) -> int:
    """Return where the bracket opens that the last character closes, 0 if there is none."""
    depth = 0
    for place in range(len(name) - 1, -1, -1) if name.endswith(")") else ():
        depth += {")": 1, "(": -1}.get(name[place], 0)
        if depth == 0:
            return place
    return 0


def _identifier(name: str, *, taken: Collection[str], otherwise: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", anyascii(name).lower()).strip("-")
    stem = stem[:LONGEST_IDENTIFIER].rstrip("-") or otherwise
    occupied = {other.lower() for other in taken}
    identifier, number = stem, 1
    while identifier in occupied:
        number += 1
        suffix = f"-{number}"
        identifier = stem[: LONGEST_IDENTIFIER - len(suffix)].rstrip("-") + suffix
    return identifier
