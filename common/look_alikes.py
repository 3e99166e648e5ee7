"""Characters that look like ASCII ones, such as a Cyrillic o, in text that a person approves before it runs.

The rule follows Unicode Technical Standard 39. A word is suspicious if it mixes scripts, or if each of its letters has a twin in ASCII:
a Russian word in a query is fine, a single Cyrillic letter in `SELECT` is not.
"""

import re
import unicodedata

WORD = re.compile(r"\w+")
# Scripts with letters that resemble Latin ones, and the letters that look the same (Unicode's confusables.txt).
CONFUSABLE_SCRIPTS = frozenset(["ARMENIAN", "CHEROKEE", "COPTIC", "CYRILLIC", "GREEK", "LISU"])
CYRILLIC = "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0443\u0445\u04bb\u0501\u051b\u051d\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405\u050c\u051a\u051c"
GREEK = "\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
ARMENIAN = "\u0570\u0578\u057d\u0581\u0585\u054d\u0555"
ASCII_TWINS = frozenset(CYRILLIC + GREEK + ARMENIAN)
# Non-ASCII Latin letters that look like ASCII letters: alpha, script g, dotless i and j, iota, long s.
LATIN = "\u0251\u0261\u0131\u0237\u0269\u017f"
QUOTES = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2032\u2033\u2035\u00b4\u02b9\u02ba\u02bb\u02bc\u02c8"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"
# Slashes, asterisks, colons, semicolons, commas, an exclamation mark.
MARKS = "\u2044\u2215\u2217\u204e\u066d\u2236\u02f8\u037e\u061b\u201a\u060c\u01c3"
ALWAYS_SUSPICIOUS = frozenset(LATIN + QUOTES + DASHES + MARKS)


def look_alikes(text: str) -> list[str]:
    """Return the characters that look like ASCII ones, each once, such as "o (U+043E, Cyrillic small letter o)"."""
    suspects = {character for character in text if character in ALWAYS_SUSPICIOUS or _is_variant(character)}
    for word in WORD.findall(text):
        foreign = {character for character in word if _script(character) in CONFUSABLE_SCRIPTS}
        is_mixed = any(character.isalpha() and _script(character) == "LATIN" for character in word)
        if is_mixed or foreign <= ASCII_TWINS:
            suspects |= foreign
    return [f"{one} (U+{ord(one):04X}, {unicodedata.name(one, 'unnamed').capitalize()})" for one in sorted(suspects)]


def _script(character: str) -> str:
    return unicodedata.name(character, "").partition(" ")[0]


def _is_variant(character: str) -> bool:
    """Return True for a variant of an ASCII character, such as a full-width or mathematical one, but not for "²"."""
    plain = unicodedata.normalize("NFKC", character)
    return (
        len(plain) == 1
        and plain.isascii()
        and plain != character
        and unicodedata.category(character) not in ("No", "Zs")
    )
