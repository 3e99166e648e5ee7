"""Sentences that confirm a change to the schedule."""

import datetime as dt

from scheduling.domain.sentences import cover_sentence
from tests.each import each
from tests.scheduling.domain.cast import A, B, C

TEN, NOON, FIVE = (dt.datetime(2026, 11, 30, hour, tzinfo=dt.UTC) for hour in (10, 12, 17))


@each(
    ("reader", "has_ended", "sentence"),
    [
        (B, False, "You cover Engineer A, Mon 30 Nov, 10:00 UTC to 17:00 UTC."),
        (B, True, "You no longer cover Engineer A, Mon 30 Nov, 10:00 UTC to 17:00 UTC."),
        (A, True, "Engineer B no longer covers you, Mon 30 Nov, 10:00 UTC to 17:00 UTC."),
        (C, False, "Engineer B covers Engineer A, Mon 30 Nov, 10:00 UTC to 17:00 UTC."),
    ],
)
def test_a_cover_is_named_for_its_reader(reader, has_ended, sentence):
    periods = [(NOON, FIVE), (TEN, NOON)]
    text = cover_sentence(B, covered=[A, A], periods=periods, reader=reader, zone=dt.UTC, has_ended=has_ended)
    assert text == sentence
