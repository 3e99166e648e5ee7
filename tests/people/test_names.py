"""Names: what means the same, and what becomes of a name in an address."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from people.domain.names import initials, match_key, resembles, slug_for, split_audience, user_name_for
from tests.each import each

IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@each(
    ("one", "other"),
    [
        ("Unit-level profit (experiment-focused)", "Unit-Level Profit (Experiment-Focused)"),
        ("Unit-level profit", "unit level  PROFIT"),
        ("Unit\u2011level profit", "Unit–level\u00a0profit"),
        ("Profit(investors)", "Profit (investors)"),
        ("DAU/MAU", "dau / mau"),
        ("Engineer A", "Ｅｎｇｉｎｅｅｒ　Ａ"),
        ("Straße", "STRASSE"),
        ("e\u0301lan", "Élan"),
        ("O’Neil", "o'neil"),
        ("**Engineer A**", "Engineer A"),
        ("⚙\ufe0f Gears", "⚙ gears"),
        ("\u200fعدي", "عدي"),
    ],
)
def test_names_of_one_meaning_match(one, other):
    assert match_key(one) == match_key(other) != ""


@each(
    ("one", "other"),
    [
        ("Engineer A", "Engineer B"),
        ("李 Wei", "王 Wei"),
        ("🦉", "🐍"),
        ("C", "C++"),
        ("Jose", "José"),
        ("Week 1", "Week 11"),
    ],
)
def test_names_of_two_meanings_do_not(one, other):
    assert match_key(one) != match_key(other)


@each("name", ["李", "ع", "🦉", "—", "!", "|", "½", "ー", "^"])
def test_a_name_with_anything_visible_has_a_key(name):
    assert match_key(name)


@pytest.mark.parametrize("name", ["", " ", "\t\u00a0\u3000", "\u200b\u200f"])
def test_a_name_with_nothing_visible_has_none(name):
    assert match_key(name) == ""


@given(st.text())
def test_the_key_of_a_key_is_itself(name):
    assert match_key(match_key(name)) == match_key(name)


@each(
    ("full", "parts"),
    [
        ("Unit-level profit (experiment-focused)", ("Unit-level profit", "experiment-focused")),
        ("Profit(investors) ", ("Profit", "investors")),
        ("Profit (net) (investor reporting)", ("Profit (net)", "investor reporting")),
        ("Profit (all (of it))", ("Profit", "all (of it)")),
        ("Profit", ("Profit", "")),
        ("(investors)", ("(investors)", "")),
        ("Profit ()", ("Profit ()", "")),
        ("Profit (a", ("Profit (a", "")),
        ("Profit a)", ("Profit a)", "")),
        ("Profit (a) net", ("Profit (a) net", "")),
        ("", ("", "")),
    ],
)
def test_the_audience_is_the_last_pair_of_brackets_at_the_end(full, parts):
    assert split_audience(full) == parts


@each(
    ("name", "user_name"),
    [
        ("Engineer A", "engineer-a"),
        ("李 Wei", "li-wei"),
        ("Zoë  O’Neil", "zoe-o-neil"),
        ("🦉", "owl"),
        ("—", "engineer"),
        ("", "engineer"),
    ],
)
def test_a_user_name_is_the_name_in_ascii(name, user_name):
    assert user_name_for(name, set()) == user_name


def test_a_taken_user_name_is_numbered_from_two():
    assert user_name_for("Engineer A", ["engineer-a"]) == "engineer-a-2"
    assert user_name_for("engineer a", {"engineer-a", "Engineer-A-2"}) == "engineer-a-3"


def test_a_long_user_name_is_cut_even_when_numbered():
    first = user_name_for("x" * 200, set())
    assert (len(first), len(user_name_for("x" * 200, {first}))) == (60, 60)


def test_a_pipeline_without_letters_has_a_slug():
    assert slug_for("!!!", set()) == "pipeline"
    assert slug_for("Daily growth (experiment-focused)", set()) == "daily-growth-experiment-focused"


@given(st.lists(st.text(max_size=80), max_size=8))
def test_identifiers_are_ascii_unique_and_short(names):
    taken = []
    for name in names:
        for make in (user_name_for, slug_for):
            taken.append(make(name, taken))
    assert len(set(taken)) == len(taken)
    assert all(IDENTIFIER.fullmatch(created) and len(created) <= 60 for created in taken)


@each(
    ("name", "other"),
    [
        ("Priya Oneil", "Priya O'Neil"),
        ("Priya", "Priya O'Neil"),
        ("P. O'Neil", "Priya O'Neil"),
        ("O'Neil, Priya", "Priya O'Neil"),
        ("Jon Smith", "John Smith"),
        ("Zoe", "Zoë"),
        ("Li Wei", "李 Wei"),
        ("Enginer A", "Engineer A"),
    ],
)
def test_a_misspelled_or_shortened_name_resembles_the_name(name, other):
    assert resembles(name, other)
    assert resembles(other, name)


@each(
    ("name", "other"),
    [
        ("Engineer A", "Engineer B"),
        ("Person 0001", "Person 0002"),
        ("Ana Lima", "Ana Lopez"),
        ("Wei Chen", "Wen Chen"),
        ("A", "Ana"),
        ("Ben Ode", "Cleo Park"),
    ],
)
def test_another_name_resembles_none(name, other):
    assert not resembles(name, other)
    assert not resembles(other, name)


@each(
    ("name", "letters"),
    [
        ("Engineer A", "EA"),
        ("Ada", "A"),
        ("María José Hernández", "MH"),
        ("李 Wei", "李W"),
        ("ß ﬁ", "SF"),
        ("🦉", "🦉"),
    ],
)
def test_initials_are_at_most_two_letters(name, letters):
    assert initials(name) == letters
