"""Rules that map external results to pipelines."""

import re

from hypothesis import given
from hypothesis import strategies as st

from tests.each import each
from validation.importers.mapping import Rule, mapped_pipeline

RULES = [
    Rule("dbt", "*", 1),
    Rule("dbt", "model.shop.*", 2),
    Rule("", "*unit_profit*", 3),
    Rule("soda", "*unit_profit*", 4),
]


@each(
    ("tool", "key", "pipeline"),
    [
        ("dbt", "test.shop.x.1", 1),
        ("dbt", "model.shop.orders", 2),
        ("dbt", "MODEL.shop.Orders", 2),
        ("dbt", "test.shop.unit_profit.1", 3),
        ("soda", "shop/unit_profit/rows", 4),
        ("airflow", "unit_profit", 3),
        ("airflow", "growth", None),
    ],
)
def test_the_most_specific_rule_wins(tool, key, pipeline):
    assert mapped_pipeline(tool=tool, key=key, rules=RULES) == pipeline


def test_a_pattern_is_not_a_regular_expression():
    rule = Rule("", "a.b[c]*", 1)
    assert rule.fits(tool="x", key="a.b[c]d")
    assert not rule.fits(tool="x", key="axbcd")


def test_a_pattern_with_many_stars_matches():
    # A backtracking matcher would not end.
    assert not Rule("", "*a" * 100 + "b", 1).fits(tool="x", key="a" * 250)


@given(st.text("ab*", max_size=6), st.text("ab", max_size=8))
def test_stars_match_anything(pattern, key):
    meant = re.fullmatch(pattern.replace("*", ".*"), key) is not None
    assert Rule("", pattern, 1).fits(tool="x", key=key) == meant
