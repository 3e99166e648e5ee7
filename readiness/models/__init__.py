"""Readiness models: published days and restatements, reader links and subscriptions."""

from readiness.models.publications import MAX_COMMENT_LENGTH, Publication, Restatement, SweepCursor
from readiness.models.readers import (
    MAX_NOTE_LENGTH,
    ReaderMessage,
    ReaderNote,
    ReaderNotification,
    ReadersLink,
    Subscription,
)

__all__ = [
    "MAX_COMMENT_LENGTH",
    "MAX_NOTE_LENGTH",
    "Publication",
    "ReaderMessage",
    "ReaderNote",
    "ReaderNotification",
    "ReadersLink",
    "Restatement",
    "Subscription",
    "SweepCursor",
]
