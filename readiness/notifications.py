"""Texts of the e-mails to readers, who have no account (see `ReaderMessage`)."""

from dataclasses import dataclass

from common.formatting import format_day
from pipelines.models import Pipeline
from readiness.domain.verdict import VERDICT_LABELS, Readiness


@dataclass(frozen=True, slots=True)
class ReaderText:
    """Subject and text of an e-mail, without the links at its end."""

    subject: str
    text: str


def confirm_text(pipeline: Pipeline) -> ReaderText:
    """Return the text of the request to confirm a subscription."""
    text = (
        f"Someone entered this address to get updates when published numbers for {pipeline} become doubtful or wrong. "
        "If it was you, confirm your subscription. If not, ignore this message. You will not get another."
    )
    return ReaderText(f"Confirm your subscription to {pipeline}", text)


def alert_text(pipeline: Pipeline, *, readiness: Readiness, note: str) -> ReaderText:
    """Return the alert about doubtful or wrong published numbers, with the engineers' note for readers."""
    verdict = VERDICT_LABELS[readiness.verdict].lower()
    text = f"The published numbers for {pipeline} on {format_day(readiness.day)} are {verdict}. Do not rely on them for now."
    subject = f"{pipeline}: numbers for {format_day(readiness.day, 'short')} are {verdict}"
    return ReaderText(subject, f"{text}\n\n{note}" if note else text)


def clear_text(pipeline: Pipeline) -> ReaderText:
    """Return the all-clear for published numbers."""
    return ReaderText(
        f"{pipeline}: numbers are right again", f"The published numbers for {pipeline} can be used again."
    )
