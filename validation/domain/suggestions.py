"""Suggestions of checks from the lines of a runbook's “Metrics Validation” section."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

SECTION = "Metrics Validation"
LIST_MARK = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+(?:\[[ xX]\]\s+)?")
MARKUP = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")
MAX_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class CheckSuggestion:
    """A check drafted from a line: its type, a metric, initial parameters, and the reason for this type.

    `metric_kind` is `count`, `amount` or `ratio`. The parameters hold only what the line states (a bound, a percentage,
    an hour); the check stays disabled until the rest is set.
    """

    line: str
    check_type: str
    name: str
    metric: str
    metric_kind: str
    parameters: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Rule:
    check_type: str
    pattern: re.Pattern[str]
    reason: str


def _rule(check_type: str, words: str, reason: str) -> _Rule:
    return _Rule(check_type, re.compile(rf"(?<![a-z])(?:{words})", re.IGNORECASE), reason)


# The first matching rule decides: specific rules (a schema, a deadline) come before general ones (trends,
# ranges).
RULES = (
    _rule(
        "schema",
        r"schema|columns?\b.*\b(?:types?|added|removed|renamed)|data types?",
        "The line names columns or their types.",
    ),
    _rule(
        "run_deadline",
        r"time.?outs?|deadlines?|on time|slas?\b|(?:by|before) \d{1,2}(?::\d\d| ?[ap]m)|(?:update|load|run|refresh) schedules?"
        r"|(?:job|run|pipeline|dag|load)s?\b.*\b(?:finish|complet|execut|succeed|ran)",
        "The line asks for a run in time.",
    ),
    _rule(
        "freshness",
        r"fresh|delay|late\b|stale|recency|recent\b|up.to.date|availab|arriv|lag",
        "The line asks for recent data.",
    ),
    _rule(
        "completeness",
        r"complete|gaps?\b|missing (?:days?|dates?|periods?|hours?|cohorts?|segments?|histor)|no .*\bmissing|backfill",
        "The line asks for every expected day.",
    ),
    _rule(
        "validity",
        r"null|blank|empty|duplicat|unique|tag|definition|allowed|valid values?|well.?formed|format|mislabel|enum",
        "The line asks which values are valid.",
    ),
    _rule(
        "reconciliation",
        r"segment|region|backup|reconcil|sub.?totals?|adds? up|sums? |break.?downs?|parts? |ledger|source of truth|roll.?ups?"
        r"|match(?:es)? (?:the )?(?:source|upstream|total|billing|finance)|cross.?system",
        "The line compares parts with their total, or two figures for the same thing.",
    ),
    _rule(
        "target",
        r"projection|benchmark|forecast|budget|target|goals?\b|guidance|plan(?:s|ned)?\b|okrs?\b|quota",
        "The line names a planned figure.",
    ),
    _rule(
        "ratio",
        r"ratio|(?-i:[A-Z]{2,6} ?/ ?[A-Z]{2,6}\b)|proportion|per (?:user|customer|order|account|session)|conversion|churn|retention"
        r"|other (?:\w+ )?metrics?|related metrics?|relation",
        "The line relates one metric to another.",
    ),
    _rule(
        "custom_sql",
        r"experiment|a/b|variant|treatment|control group|query|sql",
        "Experiments need their own query.",
    ),
    _rule(
        "reconciliation",
        r"agree|equals?\b|identical|tie(?:s)? out|differ(?:s)? by|to the (?:cent|penny)|balanc(?:e|es|ed) (?:out|to|with|each|at|exactly)"
        r"|(?:must|should|do|always|books?|debits?|credits?|totals?|they) (?:also )?balance|balanc(?:e|es|ed)\W*$",
        "The line asks two figures to agree.",
    ),
    _rule(
        "anomaly",
        r"patterns?|outlier|anomal|spikes?|dips?\b|unusual|unexpected|seasonal|drift|sudden",
        "The line asks whether the level is usual.",
    ),
    _rule(
        "change_over_time",
        r"previous|prior|last (?:week|month|quarter|year)|trends?|histor|year.over|month.over|week.over|day.over|yoy|mom\b|wow\b"
        r"|compare|over time|period|yesterday|day before",
        "The line compares with an earlier period.",
    ),
    _rule(
        "reconciliation",
        r"within \d+(?:\.\d+)? ?(?:%|percent)(?! (?:of|from) (?:the |its )?(?:usual|normal|average|typical|median))",
        "The line allows a difference in percent.",
    ),
    _rule(
        "volume",
        r"volume|row.?counts?|number of|how many|record counts?|rows\b|records\b|events\b|counts?\b",
        "The line asks for the number of rows.",
    ),
    _rule(
        "range",
        r"range|bound|between|threshold|limit|minimum|maximum|min\b|max\b|negative|positive|above|below|at (?:least|most)|exceed",
        "The line names a range of values.",
    ),
)
FALLBACK = _Rule("range", re.compile(""), "No other type fits; start with bounds.")

RATIO_WORDS = re.compile(r"ratio|rates?\b|percent|%|share|proportion|conversion|churn|retention", re.IGNORECASE)
AMOUNT_WORDS = re.compile(r"profit|revenue|cost|margin|spend|price|amount|sales|income|cash|arr\b|mrr\b", re.IGNORECASE)
METRICS = (
    (re.compile(r"\bdau ?/ ?mau\b", re.IGNORECASE), "DAU/MAU"),
    (re.compile(r"\bexperiments?\b", re.IGNORECASE), "Experiment results"),
    (re.compile(r"\bdaily growth\b", re.IGNORECASE), "Daily growth"),
    (re.compile(r"\bsegment", re.IGNORECASE), "Growth by segment"),
    (re.compile(r"\bprofit", re.IGNORECASE), "Profit"),
    (re.compile(r"\brevenue|\bsales", re.IGNORECASE), "Revenue"),
    (re.compile(r"\bengagement", re.IGNORECASE), "Engagement"),
    (re.compile(r"\bgrowth", re.IGNORECASE), "Growth"),
)


def validation_lines(markdown: str) -> list[str]:
    """Return the lines of a “Metrics Validation” section: its list items, or its sentences if it has no list."""
    lines = [
        line for line in markdown.splitlines() if line.strip() and not line.lstrip().startswith(("#", "|", ">", "---"))
    ]
    listed = [LIST_MARK.sub("", line) for line in lines if LIST_MARK.match(line)]
    plain = [MARKUP.sub("", line).strip() for line in listed or lines]
    return list(dict.fromkeys(line for line in plain if line))


def suggest_check(line: str, *, pipeline: str) -> CheckSuggestion:
    """Return the check that a line suggests; `pipeline` names the metric if the line does not."""
    rule = next((rule for rule in RULES if rule.pattern.search(line)), FALLBACK)
    metric = next((name for pattern, name in METRICS if pattern.search(line)), pipeline)
    return CheckSuggestion(
        line=line,
        check_type=rule.check_type,
        name=_check_name(line),
        metric=metric,
        metric_kind=_metric_kind(f"{line} {metric} {pipeline}", rule=rule),
        parameters=_parameters(line, check_type=rule.check_type),
        reason=rule.reason,
    )


def suggest_checks(markdown: str, *, pipeline: str) -> list[CheckSuggestion]:
    """Return a suggestion for every line of a “Metrics Validation” section, in order."""
    return [suggest_check(line, pipeline=pipeline) for line in validation_lines(markdown)]


def _check_name(line: str) -> str:
    name = line.rstrip(" .;:") or line
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1]}…"


def _metric_kind(text: str, *, rule: _Rule) -> str:
    if rule.check_type == "ratio" or RATIO_WORDS.search(text):
        return "ratio"
    return "amount" if AMOUNT_WORDS.search(text) else "count"


NUMBER = r"(-?\d[\d,]*(?:\.\d+)?)"
BETWEEN = re.compile(rf"(?:between|from) {NUMBER} ?%? (?:and|to) {NUMBER}", re.IGNORECASE)
AT_LEAST = re.compile(rf"(?:at least|above|over|more than|minimum(?: of)?) {NUMBER}(?! ?%)", re.IGNORECASE)
AT_MOST = re.compile(rf"(?:at most|below|under|less than|maximum(?: of)?) {NUMBER}(?! ?%)", re.IGNORECASE)
PERCENT = re.compile(rf"{NUMBER} ?(?:%|percent)", re.IGNORECASE)
WITHIN_PERCENT = re.compile(rf"within {NUMBER} ?(?:%|percent)", re.IGNORECASE)
CENT = re.compile(r"to the (?:cent|penny)", re.IGNORECASE)
EXACTLY = re.compile(r"exactly|identical", re.IGNORECASE)
# Amounts that agree to the cent differ by rounding only.
HALF_A_CENT = 0.005
HOURS = re.compile(r"(\d{1,4}) ?(hour|h\b|day)", re.IGNORECASE)
CLOCK = re.compile(r"(?:by|before) (\d{1,2})(?::(\d\d))?(?: ?([ap])m)?", re.IGNORECASE)


def _parameters(line: str, *, check_type: str) -> dict[str, object]:
    """Return the check parameters that the line states, without guessing any others."""
    if check_type == "freshness":
        minutes = _minutes(line)
        return {"fail_after_minutes": minutes} if minutes else {}
    if check_type == "run_deadline":
        return {"by": _clock(line)} if _clock(line) else {}
    if check_type in ("reconciliation", "target", "change_over_time"):
        return _tolerance(line)
    if check_type in ("range", "volume", "ratio"):
        within = WITHIN_PERCENT.search(line) if check_type == "volume" else None
        return _around_usual(_number(within[1])) if within else _bounds(line)
    return {}


def _tolerance(line: str) -> dict[str, object]:
    """Return the difference that a line allows, in percent or absolutely."""
    if percent := PERCENT.search(line):
        return {"fail_percent": _number(percent[1])}
    if CENT.search(line):
        return {"fail_difference": HALF_A_CENT}
    return {"fail_difference": 0.0} if EXACTLY.search(line) else {}


def _around_usual(percent: float) -> dict[str, object]:
    return {"fail_below_percent": max(100 - percent, 0.0), "fail_above_percent": 100 + percent}


def _bounds(line: str) -> dict[str, object]:
    between = BETWEEN.search(line)
    if between:
        low, high = sorted((_number(between[1]), _number(between[2])))
        return {"fail_below": low, "fail_above": high}
    least, most = AT_LEAST.search(line), AT_MOST.search(line)
    bounds = {"fail_below": least and _number(least[1]), "fail_above": most and _number(most[1])}
    return {name: bound for name, bound in bounds.items() if bound is not None}


def _number(word: str) -> float:
    return float(word.replace(",", ""))


def _minutes(line: str) -> int | None:
    match = HOURS.search(line)
    if not match:
        return None
    return int(match[1]) * 60 * (24 if match[2].lower().startswith("d") else 1)


def _clock(line: str) -> str | None:
    """Return a time of day as `09:00`, or None if the line states no valid time."""
    match = CLOCK.search(line)
    if not match or not (match[2] or match[3]):
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None
