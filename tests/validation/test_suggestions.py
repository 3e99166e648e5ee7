"""Checks suggested for the lines of the handbook's “Metrics Validation”."""

from hypothesis import given
from hypothesis import strategies as st

from handbook.format.reader import read_handbook
from tests.conftest import SEED
from tests.each import each
from validation.check_types import CHECK_TYPES
from validation.domain.comparisons import compare_with_value
from validation.domain.suggestions import suggest_check, suggest_checks, validation_lines


def lines_of_the_handbook():
    for runbook in read_handbook(SEED.read_bytes()).runbooks:
        section = next(section for section in runbook.sections if section.title == "Metrics Validation")
        yield from suggest_checks(section.markdown, pipeline=runbook.name)


def test_every_line_of_the_handbook_has_the_check_of_validation_md():
    assert [(proposal.line, proposal.check_type) for proposal in lines_of_the_handbook()] == [
        ("Validate profit values match expected ranges.", "range"),
        ("Cross-check experiment results with historical data.", "custom_sql"),
        ("Ensure consistency with quarterly projections.", "target"),
        ("Compare output with historical data trends.", "change_over_time"),
        ("Verify aggregate growth aligns with benchmarks.", "target"),
        ("Check consistency with other business metrics.", "ratio"),
        ("Cross-check daily growth against historical patterns.", "anomaly"),
        ("Validate segment-level growth calculations.", "reconciliation"),
        ("Check DAU/MAU ratios for expected patterns.", "ratio"),
        ("Compare engagement trends with previous reporting periods.", "change_over_time"),
    ]


def test_each_proposal_says_why_and_of_which_metric():
    proposals = list(lines_of_the_handbook())
    assert all(proposal.reason and proposal.name and proposal.metric for proposal in proposals)
    assert [proposal.metric for proposal in proposals][:4] == [
        "Profit",
        "Experiment results",
        "Aggregate Profit",
        "Aggregate Profit",
    ]
    assert proposals[8].metric_kind == "ratio"
    assert proposals[0].metric_kind == "amount"
    assert proposals[0].name == "Validate profit values match expected ranges"


@each(
    ("line", "check_type"),
    [
        ("Profit figures should fall within the usual range", "range"),
        ("Make sure transactional data isn’t delayed or missing", "freshness"),
        ("CRM data must be fresh within 24 hours", "freshness"),
        ("The nightly job finishes by 7am", "run_deadline"),
        ("Check real-time update schedules and logs.", "run_deadline"),
        ("Validate historical data completeness.", "completeness"),
        ("No gaps in the last 90 days", "completeness"),
        ("Row counts are as usual", "volume"),
        ("At least 1,000 events arrived", "freshness"),
        ("Number of orders is at least 500", "volume"),
        ("Null order ids stay under 1 %", "validity"),
        ("Experiment tags are correct", "validity"),
        ("No duplicate transactions", "validity"),
        ("Confirm source schema matches the ETL", "schema"),
        ("Compare revenue month over month", "change_over_time"),
        ("Review outliers in sign-ups", "anomaly"),
        ("Watch for unexpected spikes or dips", "anomaly"),
        ("Conversion per user stays in line", "ratio"),
        ("Verify aggregated values against backup metrics", "reconciliation"),
        ("Regional totals add up", "reconciliation"),
        ("Revenue is within 5 % of the forecast", "target"),
        ("A/B variants agree with past results", "custom_sql"),
        ("Finance and warehouse revenue agree", "reconciliation"),
        ("Invoices equal payments", "reconciliation"),
        ("Debits and credits balance", "reconciliation"),
        ("The books must balance at month end.", "reconciliation"),
        ("Account balance is above 0", "range"),
        ("Payments match invoices to the cent", "reconciliation"),
        ("Billing and CRM differ by less than 2 %", "reconciliation"),
        ("Shipped orders are within 2 % of paid orders", "reconciliation"),
        ("Orders are within 10 % of yesterday", "change_over_time"),
        ("Revenue is within 5 percent of last month", "change_over_time"),
        ("Row counts are within 10 % of the usual", "volume"),
        ("DAU/MAU agrees with the dashboard", "ratio"),
        ("Looks all right", "range"),
        ("数据正确", "range"),
    ],
)
def test_other_teams_lines_get_the_type_they_mean(line, check_type):
    assert suggest_check(line, pipeline="Orders").check_type == check_type


@each(
    ("line", "parameters"),
    [
        ("Profit range is between -100 and 1,000", {"fail_below": -100.0, "fail_above": 1000.0}),
        ("Margin is above 0", {"fail_below": 0.0}),
        ("Number of orders is at least 500", {"fail_below": 500.0}),
        ("CRM data must be fresh within 24 hours", {"fail_after_minutes": 1440}),
        ("CRM data is fresh within 2 days", {"fail_after_minutes": 2880}),
        ("The nightly job finishes by 7am", {"by": "07:00"}),
        ("The nightly job finishes by 12:30 pm", {"by": "12:30"}),
        ("The nightly job finishes by 99:99", {}),
        ("Revenue is within 5 % of the forecast", {"fail_percent": 5.0}),
        ("Finance and warehouse revenue agree to the cent", {"fail_difference": 0.005}),
        ("Invoices equal payments to the penny", {"fail_difference": 0.005}),
        ("Invoices equal payments exactly", {"fail_difference": 0.0}),
        ("Invoices equal payments", {}),
        ("Billing and CRM agree within 0.5 %", {"fail_percent": 0.5}),
        ("Shipped orders are within 2 percent of paid orders", {"fail_percent": 2.0}),
        ("Orders are within 10 % of yesterday", {"fail_percent": 10.0}),
        ("Row counts are within 10 % of the usual", {"fail_below_percent": 90.0, "fail_above_percent": 110.0}),
        ("Validate profit values match expected ranges.", {}),
    ],
)
def test_what_a_line_says_itself_is_drafted_and_nothing_is_guessed(line, parameters):
    proposal = suggest_check(line, pipeline="Orders")
    assert dict(proposal.parameters) == parameters
    assert set(parameters) <= {parameter.name for parameter in CHECK_TYPES[proposal.check_type].declared_parameters}


def test_lines_are_a_list_s_items_without_their_marks_once_each():
    markdown = "Intro.\n\n- **Check** `profit`\n* [ ] Check growth\n1. Check MAU\n2) Check MAU\n\n> Aside\n"
    assert validation_lines(markdown) == ["Check profit", "Check growth", "Check MAU"]


def test_a_section_without_a_list_is_read_by_its_lines():
    assert validation_lines("Profit is positive.\r\nGrowth is fresh.\n") == ["Profit is positive.", "Growth is fresh."]
    assert validation_lines("\n \n") == []


@given(st.text(max_size=400), st.text(min_size=1, max_size=30))
def test_any_line_gets_some_check(line, pipeline):
    proposal = suggest_check(line, pipeline=pipeline)
    assert proposal.check_type in CHECK_TYPES
    assert 0 < len(proposal.name) <= 120 or not line
    assert all(proposal.line.strip() for proposal in suggest_checks(line, pipeline=pipeline))


def test_amounts_that_agree_to_the_cent_pass_and_a_cent_off_fails():
    suggestion = suggest_check("Finance and warehouse revenue agree to the cent", pipeline="Orders")
    parameters = CHECK_TYPES["reconciliation"].read(suggestion.parameters)
    for value, status in ((100.001, "pass"), (100.01, "fail"), (99.99, "fail")):
        outcome = compare_with_value(value, 100.0, parameters, reference_name="the other metric")
        assert outcome.status == status
