"""What people are told of covers."""

import datetime as dt

from notifications.commands import Notice, tell
from scheduling.models import Cover
from scheduling.notices.words import in_words, sentences


def tell_cover_taken(cover: Cover, *, at: dt.datetime) -> None:
    """Tell both that one takes over from the other, and when."""
    for person in (cover.engineer, cover.covers):
        begin, end = in_words(cover.starts_at, reader=person), in_words(cover.ends_at, reader=person)
        notice = Notice(
            "cover",
            event="cover-taken",
            occurrence=str(cover.pk),
            subject=f"{cover.engineer} covers for {cover.covers}: {cover.rotation}",
            text=sentences(f"From {begin} to {end}.", cover.reason),
            path="/schedule/",
            due_at=at,
            expires_at=cover.ends_at,
        )
        tell([person], notice=notice)


def tell_cover_ended(cover: Cover, *, at: dt.datetime) -> None:
    """Tell both that a cover ended early, or will not be; `cover` is as it was before."""
    for person in (cover.engineer, cover.covers):
        begin, end = in_words(cover.starts_at, reader=person), in_words(cover.ends_at, reader=person)
        notice = Notice(
            "cover",
            event="cover-ended",
            occurrence=f"{cover.pk}@{at.isoformat()}",
            subject=f"{cover.engineer} no longer covers for {cover.covers}: {cover.rotation}",
            text=f"The cover from {begin} to {end} was {'ended' if cover.starts_at <= at else 'taken back'}.",
            path="/schedule/",
            due_at=at,
            expires_at=cover.ends_at,
        )
        tell([person], notice=notice)
