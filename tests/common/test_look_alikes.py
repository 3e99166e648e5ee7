"""Characters that look like ASCII ones are listed; ordinary text in any language has none."""

import pytest

from common.look_alikes import look_alikes


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("SELECT * FROM \u043erders", ["\u043e (U+043E, Cyrillic small letter o)"]),
        ("SELECT \u0441\u043e", ["\u043e (U+043E, Cyrillic small letter o)", "\u0441 (U+0441, Cyrillic small letter es)"]),
        ("\u039fRDERS", ["\u039f (U+039F, Greek capital letter omicron)"]),
        ("\uff53elect", ["\uff53 (U+FF53, Fullwidth latin small letter s)"]),
        ("\U0001d42c", ["\U0001d42c (U+1D42C, Mathematical bold small s)"]),
        ("\u0131d", ["\u0131 (U+0131, Latin small letter dotless i)"]),
        ("name = \u2018a\u2019", ["\u2018 (U+2018, Left single quotation mark)", "\u2019 (U+2019, Right single quotation mark)"]),
        ("1 \u2212 2", ["\u2212 (U+2212, Minus sign)"]),
        ("a\u037e b", ["\u037e (U+037E, Greek question mark)"]),
        ("a \u2217 b \u2215 c", ["\u2215 (U+2215, Division slash)", "\u2217 (U+2217, Asterisk operator)"]),
    ],
)  # fmt: skip
def test_look_alikes_are_listed(text, names):
    assert look_alikes(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "SELECT count(*) FROM orders WHERE day >= '2026-01-01'; -- a `b` \"c\"",
        "WHERE street = 'Große Straße' AND name = 'Åse Øyen' AND place = 'İstanbul, café, naïve'",
        "WHERE city = 'Москва' OR city = 'Αθήνα'",
        "WHERE city = '東京' AND unit IN ('m²', '€', '½', 'µg')",
    ],
)
def test_ordinary_text_has_no_look_alikes(text):
    assert look_alikes(text) == []
