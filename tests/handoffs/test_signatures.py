"""When a hand-off can be signed, how a signature is withdrawn, and what ends a hand-off that nobody can sign."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from handoffs.models import Handoff
from handoffs.queries.handoffs import overdue_handoffs
from handoffs.services.meetings import move_meeting, sync_handoffs
from handoffs.services.policy import HandoffRules, set_handoff_rules
from handoffs.services.sheets import close_handoff, sign_handoff, withdraw_signature
from tests.handoffs.conftest import NOW

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)


def again(handoff):
    return Handoff.objects.with_people().get(pk=handoff.pk)


def test_signing_opens_a_day_before_the_hand_off(handoffs, a):
    first = handoffs[0]
    with pytest.raises(DomainError, match="You can sign from Sun 29 Nov 2026, 10:00 UTC"):
        sign_handoff(first, by=a, at=first.at - DAY - MINUTE, confirm_early=True)
    with pytest.raises(DomainError, match="Confirm that you want to sign early"):
        sign_handoff(first, by=a, at=first.at - DAY)
    assert sign_handoff(first, by=a, at=first.at - DAY, confirm_early=True).signed_outgoing_at


def test_no_confirmation_is_needed_from_the_meeting_on(handoffs, a):
    assert sign_handoff(handoffs[0], by=a, at=handoffs[0].meeting_starts_at).signed_outgoing_at


def test_the_page_asks_for_confirmation_on_the_last_day(signed_in, handoffs, a, time_machine):
    path = f"/handoffs/{handoffs[0].pk}/"
    time_machine(NOW)
    assert "You can sign from" in signed_in(a).get(path).content.decode()
    time_machine(handoffs[0].at - DAY)
    page = signed_in(a).get(path).content.decode()
    assert 'name="confirm_early"' in page
    assert signed_in(a).post(path + "sign/").status_code == 409
    assert signed_in(a).post(path + "sign/", {"confirm_early": "1"}).status_code == 302
    assert "Withdraw signature" in signed_in(a).get(path).content.decode()
    assert signed_in(a).post(path + "unsign/").status_code == 302
    assert again(handoffs[0]).signed_outgoing_at is None


def test_a_signature_can_be_withdrawn_until_both_have_signed(handoffs, a, b, c):
    first = handoffs[0]
    with pytest.raises(DomainError, match="have not signed"):
        withdraw_signature(first, by=a)
    sign_handoff(first, by=a, at=first.at)
    with pytest.raises(NotAllowedError):
        withdraw_signature(first, by=c)
    assert withdraw_signature(first, by=a).signed_outgoing_at is None
    for person in (a, b):
        sign_handoff(first, by=person, at=first.at)
    with pytest.raises(DomainError, match="complete"):
        withdraw_signature(first, by=a)
    assert again(first).frozen


@pytest.mark.parametrize("side", ["outgoing", "incoming"])
def test_a_change_of_people_clears_the_signatures_and_notifies_everybody_concerned(
    handoffs, rotation, side, mails, a, b, c, d
):
    first = handoffs[0]
    for person in (a, b):
        sign_handoff(first, by=person, at=first.at - HOUR, confirm_early=True)
    mails()
    weeks = list(rotation.weeks.order_by("starts_on"))
    changed = weeks[0] if side == "outgoing" else weeks[1]
    # The next week's engineer differs, so that the hand-off stays.
    rotation.weeks.filter(pk=changed.pk).update(engineer=d)
    sync_handoffs(at=first.at - HOUR)
    row = again(first)
    assert row.people == ((d, b) if side == "outgoing" else (a, d))
    assert (row.signed_outgoing_at, row.signed_incoming_at, row.frozen) == (None, None, None)
    told = {message.recipient for message in mails(type="handoff-signatures-cleared")}
    assert told == {a, b, d}


def test_a_change_of_the_hand_off_s_time_clears_a_signature(handoffs, rotation, mails, a, b):
    first = handoffs[0]
    sign_handoff(first, by=a, at=first.at - HOUR, confirm_early=True)
    mails()
    rotation.weeks.filter(starts_at=first.at).update(starts_at=first.at + HOUR)
    rotation.weeks.filter(ends_at=first.at).update(ends_at=first.at + HOUR)
    sync_handoffs(at=first.at - HOUR)
    assert again(first).signed_outgoing_at is None
    assert {message.recipient for message in mails(type="handoff-signatures-cleared")} == {a, b}


def test_nobody_is_notified_of_a_change_before_a_signature(handoffs, rotation, mails, d):
    rotation.weeks.filter(starts_on=handoffs[0].week).update(engineer=d)
    sync_handoffs(at=NOW)
    assert mails(type="handoff-signatures-cleared") == []


def test_a_hand_off_of_somebody_who_left_is_closed_and_no_longer_overdue(handoffs, a, b, c, d, admin):
    first = handoffs[0]
    later = first.at + 2 * HOUR
    sign_handoff(first, by=b, at=first.at)
    with pytest.raises(DomainError, match="can still sign"):
        close_handoff(first, by=admin, at=later)
    a.is_active = False
    a.save()
    with pytest.raises(NotAllowedError):
        close_handoff(first, by=d, at=later)
    with pytest.raises(DomainError, match="can be closed after"):
        close_handoff(first, by=admin, at=first.at - HOUR)
    assert overdue_handoffs(at=later) == [first]
    # Engineer C takes over next.
    row = close_handoff(first, by=c, at=later)
    assert (row.closed_by, row.closed_at, bool(row.frozen)) == (c, later, True)
    assert overdue_handoffs(at=later) == []
    assert list(Handoff.objects.unsigned().filter(pk=first.pk)) == []
    with pytest.raises(DomainError, match="already closed"):
        close_handoff(first, by=admin, at=later)


def test_an_admin_closes_on_the_page(signed_in, handoffs, a, admin, d, time_machine):
    path = f"/handoffs/{handoffs[0].pk}/"
    time_machine(handoffs[0].at + 2 * HOUR)
    a.is_active = False
    a.save()
    assert "Close hand-off" not in signed_in(d).get(path).content.decode()
    assert signed_in(d).post(path + "close/").status_code == 403
    assert "Close hand-off" in signed_in(admin).get(path).content.decode()
    assert signed_in(admin).post(path + "close/").status_code == 302
    assert "Closed</span>" in signed_in(admin).get(path).content.decode()


@pytest.mark.parametrize("minutes", [0, 1, 19, 31, 240])
def test_a_meeting_has_20_to_30_minutes_everywhere(handoffs, rotation, a, minutes):
    first = handoffs[0]
    ends_at = first.meeting_starts_at + minutes * MINUTE
    with pytest.raises(InvalidInputError):
        move_meeting(first, by=a, at=NOW, ends_at=ends_at, starts_at=first.meeting_starts_at)
    with pytest.raises(IntegrityError), transaction.atomic():
        Handoff.objects.filter(pk=first.pk).update(meeting_ends_at=ends_at)
    rules = HandoffRules("Hand-off", "", minutes, minutes, "Topics", ("A",))
    with pytest.raises(Exception, match=r"Ensure this value|20 to 30 minutes"):
        set_handoff_rules(rotation, rules=rules)
