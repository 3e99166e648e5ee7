"""Whether the numbers of a pipeline's day can be used: one verdict, its reasons, and until when it holds."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from common.formatting import format_count, format_day, format_instant


class Verdict(StrEnum):
    """Whether the numbers of a day can be used (docs/rules.md, Readiness)."""

    SAFE = "safe"
    NOT_YET = "not_yet"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


VERDICT_LABELS = {
    Verdict.SAFE: "Safe",
    Verdict.NOT_YET: "Not yet",
    Verdict.DOUBTFUL: "Doubtful",
    Verdict.WRONG: "Wrong",
}
BADGE_CLASSES = {Verdict.SAFE: "ok", Verdict.NOT_YET: "info", Verdict.DOUBTFUL: "warn", Verdict.WRONG: "danger"}
# The first that a reason gives is the verdict.
PRECEDENCE = (Verdict.WRONG, Verdict.NOT_YET, Verdict.DOUBTFUL)
# An upstream pipeline with one of these statuses makes downstream numbers doubtful.
PROBLEM_STATUSES = ("outage", "delayed", "issue", "failing", "stale")


class ReasonKind(StrEnum):
    """Why a day is not safe."""

    FAILED = "failed"
    NOT_SETTLED = "not_settled"
    NOT_UPDATED = "not_updated"
    NOT_CHECKED = "not_checked"
    WARNED = "warned"
    UPSTREAM = "upstream"
    INCIDENT = "incident"


VERDICTS = {
    ReasonKind.FAILED: Verdict.WRONG,
    ReasonKind.NOT_SETTLED: Verdict.NOT_YET,
    ReasonKind.NOT_UPDATED: Verdict.NOT_YET,
    ReasonKind.NOT_CHECKED: Verdict.NOT_YET,
    ReasonKind.WARNED: Verdict.DOUBTFUL,
    ReasonKind.UPSTREAM: Verdict.DOUBTFUL,
    ReasonKind.INCIDENT: Verdict.DOUBTFUL,
}


class CheckState(StrEnum):
    """What a check says about a day. A warning or a failure that was expected is a pass."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"  # it has nothing to say, as on days without expected data
    BROKEN = "broken"  # it could not run
    NO_VALUE = "no_value"  # the value it needs is missing
    WAITING = "waiting"  # its run for the day, or the one after a late change, is still to happen


@dataclass(frozen=True, slots=True)
class DayCheck:
    """A check, and what it says about the day."""

    name: str
    state: CheckState


@dataclass(frozen=True, slots=True)
class DayFacts:
    """What is known about a pipeline's day.

    `settles_at` is when its data is final; it may be past. `changes_at` are the instants at which the facts may change by
    themselves, such as the next runs of the checks. `is_stale` means that the last run updated nothing because something
    upstream failed.
    """

    day: dt.date
    settles_at: dt.datetime
    checks: Sequence[DayCheck] = ()
    is_stale: bool = False
    unready_parents: Sequence[str] = ()
    open_incidents: Sequence[str] = ()
    changes_at: Sequence[dt.datetime] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, in a sentence for engineers."""

    kind: ReasonKind
    text: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """The verdict on a pipeline's day. Without new data, `until` is the next instant at which it may change; None for never."""

    day: dt.date
    verdict: Verdict
    reasons: tuple[Reason, ...]
    passed: int
    until: dt.datetime | None
    is_evaluated: bool = True  # False without any check, incident or upstream problem

    @property
    def why(self) -> list[str]:
        """The reasons as sentences; for a safe day, the number of checks that passed."""
        if self.verdict is Verdict.SAFE:
            return [f"{format_count(self.passed, 'check')} passed for {format_day(self.day)}."]
        return [reason.text for reason in self.reasons]

    @property
    def label(self) -> str:
        """The verdict in words."""
        return VERDICT_LABELS[self.verdict]

    @property
    def badge(self) -> str:
        """The CSS class of the verdict's badge."""
        return BADGE_CLASSES[self.verdict]


def decide(facts: DayFacts, *, at: dt.datetime) -> Readiness:
    """Return the verdict: the first of wrong, not yet and doubtful that a reason gives, else safe."""
    reasons = sorted(_reasons(facts, at=at), key=lambda reason: PRECEDENCE.index(VERDICTS[reason.kind]))
    verdict = VERDICTS[reasons[0].kind] if reasons else Verdict.SAFE
    until = min((instant for instant in (facts.settles_at, *facts.changes_at) if instant > at), default=None)
    passed = sum(check.state is CheckState.PASSED for check in facts.checks)
    is_evaluated = bool(facts.checks or facts.open_incidents or facts.unready_parents)
    return Readiness(facts.day, verdict, tuple(reasons), passed, until, is_evaluated)


def _reasons(facts: DayFacts, *, at: dt.datetime) -> list[Reason]:
    day = format_day(facts.day)
    reasons = [
        Reason(ReasonKind.FAILED, f"Check “{check.name}” failed.")
        for check in facts.checks
        if check.state is CheckState.FAILED
    ]
    if facts.settles_at > at:
        settled = format_instant(facts.settles_at, dt.UTC, brief=True)
        reasons.append(Reason(ReasonKind.NOT_SETTLED, f"The data for {day} is not final until {settled}."))
    else:
        if facts.is_stale:
            reasons.append(
                Reason(ReasonKind.NOT_UPDATED, "The last run made no updates because something upstream failed.")
            )
        reasons += _unchecked(facts, day=day)
    reasons += [
        Reason(ReasonKind.WARNED, f"Check “{check.name}” has a warning.")
        for check in facts.checks
        if check.state is CheckState.WARNED
    ]
    reasons += [
        Reason(ReasonKind.UPSTREAM, f"Upstream pipeline {name} has problems.") for name in facts.unready_parents
    ]
    reasons += [Reason(ReasonKind.INCIDENT, f"Open incident: {title}") for title in facts.open_incidents]
    return reasons


UNCHECKED_TEXTS = {
    CheckState.WAITING: "Check “{name}” has not run for {day} yet.",
    CheckState.BROKEN: "Check “{name}” could not run.",
    CheckState.NO_VALUE: "Check “{name}” has no value to evaluate for {day}.",
}


def _unchecked(facts: DayFacts, *, day: str) -> list[Reason]:
    """Return a reason for each check that is missing, or one if no check has evaluated the day at all."""
    missing = [
        Reason(ReasonKind.NOT_CHECKED, UNCHECKED_TEXTS[check.state].format(name=check.name, day=day))
        for check in facts.checks
        if check.state in UNCHECKED_TEXTS
    ]
    is_evaluated = any(check.state not in (CheckState.SKIPPED, *UNCHECKED_TEXTS) for check in facts.checks)
    if missing or is_evaluated:
        return missing
    return [Reason(ReasonKind.NOT_CHECKED, f"No check has passed for {day}.")]
