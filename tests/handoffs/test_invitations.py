"""Invitations: who is asked to which meeting when, and what a swap does to calendars that are not ours."""

import datetime as dt
from email.utils import parseaddr
from itertools import pairwise

import pytest
from django.conf import settings

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from handoffs.domain.ical import Address, Meeting, cancellation, invitation, plain_text
from handoffs.models import Handoff
from handoffs.queries.handoffs import rotations_to_sync, with_unreported_absences
from handoffs.services.meetings import move_meeting, sync_handoffs
from handoffs.services.policy import HandoffRules, set_handoff_rules
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant, message_link
from scheduling.models import Rotation, RotationWeek
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import update_hours
from tests.each import each
from tests.handoffs.conftest import MEETING_TYPES, NOW
from tests.handoffs.icaljs import read_by_client
from tests.handoffs.libical import complaints
from tests.handoffs.reading import Mailbox, read

DAY, HOUR, MINUTE, WEEK = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1), dt.timedelta(weeks=1)


def invitations(rows):
    return [(row.calendar_method, str(row.recipient), str(row.context["handoff_id"])) for row in rows]


def swap(rotation, one, other, *, by):
    asked = SwapProposal(one, other, acknowledge_conflicts=True)
    created = request_swap(rotation, proposal=asked, by=by, at=NOW)
    return accept_swap(created, by=by, at=NOW, acknowledge_conflicts=True)


def test_each_change_of_engineer_has_a_meeting_that_ends_at_the_hand_off(handoffs, rotation):
    weeks = list(rotation.weeks.order_by("starts_on"))
    assert [(row.at, row.outgoing, row.incoming) for row in handoffs] == [
        (after.starts_at, before.engineer, after.engineer) for before, after in pairwise(weeks)
    ]
    assert all(row.meeting_ends_at == row.at for row in handoffs)
    assert all(row.meeting_ends_at - row.meeting_starts_at == 30 * MINUTE for row in handoffs)
    assert handoffs[-1].at > NOW + 26 * WEEK
    assert len({row.uid for row in handoffs}) == len(handoffs)


def test_who_is_in_a_meeting_of_the_next_five_weeks_is_invited_once(handoffs, mails):
    rows = mails(type__in=MEETING_TYPES)
    near = [row for row in handoffs if row.meeting_starts_at <= NOW + 5 * WEEK]
    wanted = [("REQUEST", str(one), str(row.pk)) for row in near for one in row.people]
    assert sorted(invitations(rows)) == sorted(wanted)
    assert len(near) == 5
    sync_handoffs(at=NOW + MINUTE)
    assert mails(type__in=MEETING_TYPES) == []
    sync_handoffs(at=NOW + WEEK)
    assert len(mails(type__in=MEETING_TYPES)) == 2


def test_an_invitation_is_what_other_calendars_expect(handoffs, a, mails):
    a.email = "a@example.com"
    a.save()
    Handoff.objects.filter(pk=handoffs[0].pk).update(mailed_sequence=None, sequence=1)
    Message.objects.all().delete()
    sync_handoffs(at=NOW)
    [row] = Message.objects.filter(
        recipient=a, type="handoff-invitation", context__handoff_id=handoffs[0].pk, context__sequence=1
    )
    assert complaints(row.calendar) == []
    calendar, [event] = read(row.calendar)
    assert (calendar["METHOD"], calendar["VERSION"]) == ("REQUEST", "2.0")
    assert event["ORGANIZER"] == f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"
    assert event.all("ATTENDEE") == ["mailto:a@example.com", "mailto:engineer-b@oncall.invalid"]
    assert event.span == (dt.datetime(2026, 11, 30, 9, 30, tzinfo=dt.UTC), dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC))
    assert event["UID"] == handoffs[0].uid
    assert event["STATUS"] == "CONFIRMED"
    assert event["URL"].endswith(f"/handoffs/{handoffs[0].pk}/")
    assert message_link(row).endswith(f"/handoffs/{handoffs[0].pk}/")
    assert "Mon 30 Nov 2026, 09:30 UTC (30 min)" in row.text


def test_a_swap_moves_the_meeting_to_another_calendar_with_the_same_uid(handoffs, rotation, a, b, c, d, admin, mails):
    """A's week of 21 December goes to C and C's of 7 December to A: five meetings change, each in the calendars it was in."""
    boxes = {one: Mailbox() for one in (a, b, c, d)}

    def deliver():
        for row in mails(type__in=MEETING_TYPES):
            assert complaints(row.calendar) == []
            boxes[row.recipient].take(row.calendar)

    def shown(person):
        rows = Handoff.objects.not_cancelled().attended_by(person).filter(meeting_starts_at__lte=NOW + 5 * WEEK)
        return {row.uid: (row.meeting_starts_at, row.meeting_ends_at) for row in rows}

    deliver()
    assert all(box.events == shown(person) for person, box in boxes.items())
    uid = handoffs[1].uid
    assert (handoffs[1].outgoing, handoffs[1].incoming) == (b, c)
    assert uid in boxes[c].events
    assert uid not in boxes[a].events
    swap(rotation, dt.date(2026, 12, 21), dt.date(2026, 12, 7), by=admin)
    sync_handoffs(at=NOW)
    deliver()
    assert uid not in boxes[c].events
    assert uid in boxes[a].events
    assert uid in boxes[b].events
    assert boxes[a].known[uid] == boxes[b].known[uid] == boxes[c].known[uid] == 1
    assert all(box.events == shown(person) for person, box in boxes.items())


def test_a_week_that_no_longer_changes_hands_has_no_meeting_until_it_does_again(handoffs, rotation, a, b, mails):
    mails()
    first = handoffs[0]
    week = RotationWeek.objects.get(rotation=rotation, starts_on=first.week)
    RotationWeek.objects.filter(pk=week.pk).update(engineer=a)
    sync_handoffs(at=NOW)
    rows = mails(type__in=MEETING_TYPES, context__handoff_id=first.pk)
    assert [(row.calendar_method, row.recipient) for row in rows] == [("CANCEL", a), ("CANCEL", b)]
    assert all(complaints(row.calendar) == [] for row in rows)
    _, [event] = read(rows[0].calendar)
    assert (event["STATUS"], event["UID"], event["SEQUENCE"]) == ("CANCELLED", first.uid, "1")
    RotationWeek.objects.filter(pk=week.pk).update(engineer=b)
    sync_handoffs(at=NOW)
    rows = mails(type__in=MEETING_TYPES, context__handoff_id=first.pk)
    assert [(row.calendar_method, row.recipient) for row in rows] == [("REQUEST", a), ("REQUEST", b)]
    assert read(rows[0].calendar)[1][0]["SEQUENCE"] == "2"


def test_nobody_is_notified_of_the_cancellation_of_a_meeting_without_invitations(handoffs, rotation, b, mails):
    mails()
    far = handoffs[8]
    RotationWeek.objects.filter(rotation=rotation, starts_on=far.week).update(engineer=far.outgoing)
    sync_handoffs(at=NOW)
    assert Handoff.objects.get(pk=far.pk).cancelled_at == NOW
    assert mails(type__in=MEETING_TYPES) == []


def test_covers_need_no_hand_off(handoffs, rotation, c, admin, mails):
    mails()
    span = CoverData(c, NOW + DAY, NOW + 2 * DAY)
    create_cover(rotation, data=span, by=admin, at=NOW)
    assert sync_handoffs(at=NOW) == 0
    assert mails(type__startswith="handoff") == []


def test_another_hour_moves_the_meetings_that_are_to_come(handoffs, rotation, mails):
    mails()
    update_hours(rotation, at=NOW, handoff_time=dt.time(14))
    assert sync_handoffs(at=NOW) == len(handoffs)
    row = Handoff.objects.get(pk=handoffs[0].pk)
    assert (row.at, row.uid, row.sequence) == (handoffs[0].at + 4 * HOUR, handoffs[0].uid, 1)
    assert row.meeting_ends_at == row.at
    assert {one.calendar_method for one in mails(type__in=MEETING_TYPES)} == {"REQUEST"}
    assert sync_handoffs(at=NOW) == 0


def test_an_hour_that_comes_at_once_hands_over_now(handoffs, rotation):
    """The hour is changed on hand-off day so that it has passed: the hand-off is now, and there is still one of it."""
    at = dt.datetime(2026, 11, 30, 9, 0, tzinfo=dt.UTC)
    update_hours(rotation, at=at, handoff_time=dt.time(8))
    sync_handoffs(at=at)
    row = Handoff.objects.get(pk=handoffs[0].pk)
    assert (row.at, row.cancelled_at) == (at, None)


def test_another_length_of_the_handbook_changes_meetings_but_moved_ones(handoffs, rotation, a):
    moved = handoffs[0]
    move_meeting(moved, by=a, at=NOW, starts_at=moved.at - 2 * HOUR)
    set_handoff_rules(rotation, rules=HandoffRules("Hand-Off", "", 20, 25, "Topics", ("Status",)))
    sync_handoffs(at=NOW)
    rows = list(Handoff.objects.order_by("at"))
    assert rows[0].meeting_ends_at - rows[0].meeting_starts_at == 30 * MINUTE
    assert {row.meeting_ends_at - row.meeting_starts_at for row in rows[1:]} == {25 * MINUTE}


def test_the_past_is_not_rewritten(handoffs, rotation, d):
    later = handoffs[0].at + HOUR
    rotation.weeks.filter(starts_on=handoffs[0].week).update(engineer=d)
    sync_handoffs(at=later)
    assert Handoff.objects.with_people().get(pk=handoffs[0].pk).incoming == handoffs[0].incoming
    assert Handoff.objects.with_people().get(pk=handoffs[1].pk).outgoing == d


# Moving


def test_both_engineers_are_notified_of_a_moved_meeting_and_the_sweep_does_not_move_it_back(handoffs, b, mails):
    mails()
    first = handoffs[0]
    row = move_meeting(first, by=b, at=NOW, starts_at=first.at - 3 * HOUR, ends_at=first.at - 3 * HOUR + 20 * MINUTE)
    assert (row.moved, row.sequence, row.uid) == (True, 1, first.uid)
    rows = mails(type__in=MEETING_TYPES)
    assert [one.calendar_method for one in rows] == ["REQUEST", "REQUEST"]
    assert read(rows[0].calendar)[1][0].span == (row.meeting_starts_at, row.meeting_ends_at)
    assert sync_handoffs(at=NOW) == 0
    assert mails(type__in=MEETING_TYPES) == []


def test_a_moved_meeting_is_as_usual_again_once_its_people_change(handoffs, rotation, a, admin):
    move_meeting(handoffs[0], by=a, at=NOW, starts_at=handoffs[0].at - 3 * HOUR)
    swap(rotation, dt.date(2026, 11, 30), dt.date(2026, 12, 7), by=admin)
    sync_handoffs(at=NOW)
    row = Handoff.objects.get(pk=handoffs[0].pk)
    assert (row.moved, row.meeting_ends_at) == (False, row.at)


def test_a_meeting_is_not_moved_by_others_into_the_past_or_far_away(handoffs, a, c):
    first = handoffs[0]
    with pytest.raises(NotAllowedError):
        move_meeting(first, by=c, at=NOW, starts_at=first.at)
    for wrong in (NOW - MINUTE, first.at + 7 * DAY, first.at - 8 * DAY):
        with pytest.raises(InvalidInputError):
            move_meeting(first, by=a, at=NOW, starts_at=wrong)
    for minutes in (0, 19, 31, -30):
        with pytest.raises(InvalidInputError, match="20–30 minutes"):
            move_meeting(first, by=a, at=NOW, starts_at=first.at, ends_at=first.at + minutes * MINUTE)
    Handoff.objects.filter(pk=first.pk).update(cancelled_at=NOW)
    with pytest.raises(DomainError, match="cancelled"):
        move_meeting(first, by=a, at=NOW, starts_at=first.at)


# Reminders


def true_reminders():
    rows = Message.objects.filter(type="handoff-reminder").order_by("due_at", "pk")
    return [row for row in rows if is_still_relevant(row, at=row.due_at)]


def test_both_are_reminded_a_day_and_a_quarter_of_an_hour_before(handoffs):
    begin = handoffs[0].meeting_starts_at
    actual = [(row.due_at, str(row.recipient)) for row in true_reminders() if row.expires_at == begin]
    assert actual == [
        (begin - DAY, "Engineer A"),
        (begin - DAY, "Engineer B"),
        (begin - 15 * MINUTE, "Engineer A"),
        (begin - 15 * MINUTE, "Engineer B"),
    ]


def test_a_meeting_that_moves_takes_its_reminders_along(handoffs, rotation, a, admin):
    row = move_meeting(handoffs[0], by=a, at=NOW, starts_at=handoffs[0].at - DAY)
    begin = row.meeting_starts_at
    dues = [one.due_at for one in true_reminders() if one.context["handoff_id"] == row.pk]
    assert dues == [begin - DAY] * 2 + [begin - 15 * MINUTE] * 2
    swap(rotation, dt.date(2026, 11, 30), dt.date(2026, 12, 7), by=admin)
    sync_handoffs(at=NOW)
    readers = {str(one.recipient) for one in true_reminders() if one.context["handoff_id"] == row.pk}
    assert readers == {"Engineer A", "Engineer C"}


def test_what_changes_on_the_last_day_is_not_announced_for_tomorrow(handoffs, a):
    late = handoffs[0].meeting_starts_at - HOUR
    row = move_meeting(handoffs[0], by=a, at=late, starts_at=late + 2 * HOUR)
    dues = [
        one.due_at for one in true_reminders() if (one.context["handoff_id"], one.context["sequence"]) == (row.pk, 1)
    ]
    assert dues == [row.meeting_starts_at - 15 * MINUTE] * 2


def test_an_invitation_overtaken_before_it_was_sent_is_dropped(handoffs, a):
    old = Message.objects.get(type="handoff-invitation", recipient=a, context__handoff_id=handoffs[0].pk)
    assert is_still_relevant(old, at=NOW)
    move_meeting(handoffs[0], by=a, at=NOW, starts_at=handoffs[0].at - DAY)
    assert not is_still_relevant(old, at=NOW)


def test_a_sweep_reads_as_much_for_many_rotations_as_for_one(handoffs, rotation, a, b, django_assert_num_queries):
    with django_assert_num_queries(4):
        assert rotations_to_sync(at=NOW) == []
    others = Rotation.objects.bulk_create(Rotation(slug=f"other-{n}", name=f"Other {n}") for n in range(30))
    RotationWeek.objects.bulk_create(
        RotationWeek(
            rotation=other,
            starts_on=week.starts_on,
            starts_at=week.starts_at,
            ends_at=week.ends_at,
            engineer=engineer,
            planned_engineer=engineer,
        )
        for other in others
        for week, engineer in zip(rotation.weeks.order_by("starts_on")[:2], (a, b), strict=True)
    )
    with django_assert_num_queries(4):
        assert rotations_to_sync(at=NOW) == others
    sync_handoffs(at=NOW)
    assert rotations_to_sync(at=NOW) == []
    assert Handoff.objects.filter(rotation__in=others, outgoing=a, incoming=b).count() == 30


# Away


def test_an_absence_at_a_meeting_is_notified_when_it_becomes_known(handoffs, a, b, c, admin, mails):
    mails()
    type(b).objects.filter(pk=b.pk).update(time_zone="Asia/Tokyo")
    create_holiday(b, data=HolidayData(dt.date(2026, 11, 30), dt.date(2026, 12, 1)), by=b)
    sync_handoffs(at=NOW)
    rows = mails(type="handoff-conflict")
    assert {row.recipient for row in rows} == {a, b, admin}
    assert rows[0].subject == "Hand-off conflict: Engineer B is away (Engineer A → Engineer B)"
    assert "on holiday 30 Nov – 1 Dec" in rows[0].text
    by_recipient = {row.recipient: row.text for row in rows}
    assert "Mon 30 Nov 2026, 09:30 UTC" in by_recipient[a]
    assert "Mon 30 Nov 2026, 18:30 JST" in by_recipient[b]
    sync_handoffs(at=NOW + MINUTE)
    assert mails() == []
    row = move_meeting(handoffs[0], by=a, at=NOW, starts_at=handoffs[0].at - 3 * DAY)
    sync_handoffs(at=NOW)
    assert mails(type="handoff-conflict") == []
    assert not any(is_still_relevant(one, at=NOW) for one in rows)
    move_meeting(row, by=a, at=NOW, starts_at=handoffs[0].at)
    sync_handoffs(at=NOW)
    assert len(mails(type="handoff-conflict")) == 3


def test_a_sweep_reads_as_much_for_many_absences_as_for_one(handoffs, a, b, django_assert_num_queries):
    first = handoffs[0].at.date()
    create_holiday(b, data=HolidayData(first, first), by=b)
    with django_assert_num_queries(3):
        assert with_unreported_absences(at=NOW) == handoffs[:1]
    create_holiday(a, data=HolidayData(first, first + 20 * WEEK), by=a)
    with django_assert_num_queries(3):
        unreported = with_unreported_absences(at=NOW)
    away = [row for row in handoffs[1:] if row.at.date() <= first + 20 * WEEK and a in row.people]
    assert unreported == [handoffs[0], *away]
    assert len(unreported) > 5
    sync_handoffs(at=NOW)
    with django_assert_num_queries(2):
        assert with_unreported_absences(at=NOW) == []


def test_an_absence_that_is_deleted_and_added_again_is_notified_again(handoffs, b, admin, mails):
    mails()
    dates = HolidayData(dt.date(2026, 11, 30), dt.date(2026, 11, 30))
    create_holiday(b, data=dates, by=b).delete()
    sync_handoffs(at=NOW)
    assert mails(type="handoff-conflict") == []
    block = create_holiday(b, data=dates, by=b)
    sync_handoffs(at=NOW)
    block.delete()
    sync_handoffs(at=NOW)
    create_holiday(b, data=dates, by=b)
    sync_handoffs(at=NOW)
    assert len(mails(type="handoff-conflict")) == 6


# Unsigned


def test_an_unsigned_hand_off_reminds_both_once_an_hour_later(handoffs, a, b, mails):
    mails()
    due = handoffs[0].at + HOUR
    sync_handoffs(at=due - MINUTE)
    assert mails(type="handoff-unsigned") == []
    sync_handoffs(at=due)
    rows = mails(type="handoff-unsigned")
    assert {row.recipient for row in rows} == {a, b}
    assert "Engineer A has not signed “handed over”. Engineer B has not signed “taken over”." in rows[0].text
    assert is_still_relevant(rows[0], at=due)
    sync_handoffs(at=due + HOUR)
    assert mails(type="handoff-unsigned") == []


def test_after_days_of_silence_nobody_is_reminded_of_old_signatures(handoffs, mails):
    mails()
    sync_handoffs(at=handoffs[0].at + 4 * DAY)
    assert mails(type="handoff-unsigned") == []


# Writing


@each(
    "name", ["Engineer A", 'Zoë "Z" O’Neil; x, y:z', "李 Wei", "a^b\\n", "x" * 300, "tab\tname", "\u202eevil", "a\x07b"]
)
def test_names_of_every_kind_are_written_as_calendars_read_them(name):
    address = Address(name, "a@example.com")
    meeting = Meeting(
        "uid", 0, NOW, NOW, NOW + HOUR, f"Hand-off: {name}", f"{name}\nhttps://x", "https://x", address, (address,)
    )
    texts = [invitation(meeting), cancellation(meeting, for_everyone=True), cancellation(meeting, for_everyone=False)]
    for text in texts:
        assert complaints(text) == []
        read(text)
    for actual in read_by_client(texts):
        [event] = actual["events"]
        assert (event["summary"], event["description"]) == (
            plain_text(meeting.summary),
            plain_text(meeting.description),
        )


def test_libical_finds_what_is_wrong():
    address = Address("A", "a@example.com")
    meeting = Meeting("uid", 0, NOW, NOW, NOW + HOUR, "Hand-off", "x", "https://x", address, (address,))
    text = invitation(meeting)
    assert complaints(text) == []
    assert complaints(text.replace("ORGANIZER", "X-NOBODY"))
    assert complaints(text.replace("DTSTAMP", "X-NEVER"))
    assert complaints(text.replace("DTSTART:2026", "DTSTART:not"))


def test_ical_js_finds_what_is_wrong():
    address = Address("A", "a@example.com")
    meeting = Meeting("uid", 3, NOW, NOW, NOW + HOUR, "Hand-off", "x", "https://x", address, (address,))
    text = invitation(meeting)
    changes = [
        ("DTSTART:2026", "DTSTART:not"),
        ("DTEND:", "DTEND"),
        ("END:VEVENT\r\n", ""),
        ("00Z\r\nDTEND", "00\r\nDTEND"),
    ]
    wrong = [text.replace(*change) for change in changes]
    assert all(one != text for one in wrong)
    right, *refused = read_by_client([text, *wrong])
    assert [(one["uid"], one["sequence"], one["seconds"]) for one in right["events"]] == [("uid", 3, 3600)]
    assert all("refused" in one for one in refused)


def test_control_signs_are_left_out():
    assert plain_text("a\0b\x1bc\r\nd\x7f\x85é\u200d") == "abc\ndé\u200d"
