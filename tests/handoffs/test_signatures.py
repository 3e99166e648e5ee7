"""When a hand-off can be signed, how a signature is withdrawn, and what ends a hand-off that nobody can sign."""

import datetime as dt
import re

import pytest
from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from handoffs.models import Handoff
from handoffs.queries.handoffs import overdue_handoffs
from handoffs.services.meetings import move_meeting, sync_handoffs
from handoffs.services.policy import HandoffRules, set_handoff_rules
from handoffs.services.sheets import close_handoff, sign_handoff, withdraw_signature
from notifications.registry import load
from tests.each import each
from tests.handoffs.conftest import NOW
from tests.handoffs.test_api import call

__all__ = ["call"]

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
    refused = signed_in(a).post(path + "sign/")
    assert refused.status_code == 409
    assert 'value="1" autofocus aria-describedby="asked"' in refused.content.decode()
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
    recipients = {message.recipient for message in mails(type="handoff-signatures-cleared")}
    assert recipients == {a, b, d}


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


def test_a_hand_off_of_somebody_who_left_is_closed_by_the_api(call, handoffs, a, c, d, time_machine):
    first = handoffs[0]
    a.is_active = False
    a.save()
    time_machine(first.at - HOUR)
    assert call(c, "post", f"handoffs/{first.pk}/close/").status_code == 403
    time_machine(first.at + HOUR)
    assert call(d, "post", f"handoffs/{first.pk}/close/").status_code == 403
    answer = call(c, "post", f"handoffs/{first.pk}/close/")
    assert (answer.status_code, answer.json()["closed_by"]) == (200, "engineer-c")
    assert call(c, "post", f"handoffs/{first.pk}/close/").status_code == 409


def test_an_admin_closes_in_the_admin(signed_in, handoffs, a, admin, time_machine):
    first, second = handoffs[:2]
    a.is_active = False
    a.save()
    time_machine(second.at + HOUR)
    page = signed_in(admin).post(
        "/admin/handoffs/handoff/", {"action": "close", "_selected_action": [first.pk, second.pk]}, follow=True
    )
    text = page.content.decode()
    assert "Hand-offs closed: 1." in text
    assert "Both engineers are active. They can still sign." in text
    assert [again(row).closed_by for row in (first, second)] == [admin, None]


def test_the_history_says_who_closed(signed_in, handoffs, a, admin, time_machine):
    time_machine(handoffs[0].at + HOUR)
    a.is_active = False
    a.save()
    signed_in(admin).post(f"/handoffs/{handoffs[0].pk}/close/")
    text = signed_in(admin).get(f"/handoffs/{handoffs[0].pk}/").content.decode()
    assert "by Admin because an engineer who had to sign left" in text
    assert text.partition('id="history"')[2].count("Admin") == 1


def test_reminders_of_a_closed_hand_off_are_dropped(handoffs, a, b, admin, mails):
    first = handoffs[0]
    a.is_active = False
    a.save()
    late = first.at + HOUR
    sync_handoffs(at=late)
    reminders = mails(type="handoff-unsigned")
    # The admins can close it, so they are notified too.
    assert {row.recipient for row in reminders} >= {b, admin}
    assert all("Open the sheet to close the hand-off." in row.text for row in reminders)
    notification = load(reminders[0].type, reminders[0].context)
    assert notification.is_still_relevant(b, late)
    close_handoff(first, by=b, at=late)
    assert not notification.is_still_relevant(b, late)
    sync_handoffs(at=late + HOUR)
    assert mails(type="handoff-unsigned") == []


def test_signing_is_too_early_by_the_api_too(call, handoffs, a, time_machine):
    path = f"handoffs/{handoffs[0].pk}/sign/"
    time_machine(handoffs[0].at - DAY - MINUTE)
    assert call(a, "post", path, {"confirm_early": True}).status_code == 409
    time_machine(handoffs[0].at - DAY)
    assert call(a, "post", path, {}).json()["confirm"] == "confirm_early"
    assert call(a, "post", path, {"confirm_early": True}).status_code == 200


def test_nobody_signs_in_the_admin(signed_in, handoffs, admin, time_machine):
    first = handoffs[0]
    time_machine(NOW)
    typed = {
        "meeting_starts_at_0": first.meeting_starts_at.date(), "meeting_starts_at_1": "09:30",
        "meeting_ends_at_0": first.meeting_ends_at.date(), "meeting_ends_at_1": "10:00",
        "signed_outgoing_at_0": "2026-11-25", "signed_outgoing_at_1": "12:00",
        "notes-TOTAL_FORMS": 0, "notes-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert signed_in(admin).post(f"/admin/handoffs/handoff/{first.pk}/change/", typed).status_code == 302
    assert again(first).signed_outgoing_at is None


def test_a_swap_after_a_signature_notifies_everybody_concerned(call, handoffs, rotation, mails, a, b, c, time_machine):
    first = handoffs[0]
    time_machine(first.at - HOUR)
    sign_handoff(first, by=a, at=first.at - HOUR, confirm_early=True)
    mails()
    asked = {"rotation": rotation.slug, "offered_week": "2026-11-30", "wanted_week": "2026-12-07"}
    swap = call(b, "post", "swaps/", asked).json()
    assert call(c, "post", f"swaps/{swap['id']}/accept/", {}).status_code == 200
    sync_handoffs(at=first.at - HOUR)
    assert (again(first).incoming, again(first).signed_outgoing_at) == (c, None)
    assert {message.recipient for message in mails(type="handoff-signatures-cleared")} == {a, c}
    cancelled = [message for message in mails(type="handoff-cancelled") if message.context["handoff_id"] == first.pk]
    assert [message.recipient for message in cancelled] == [b]


@each("minutes", [0, 1, 19, 31, 240])
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


def test_a_hand_off_is_signed_on_now_with_a_note(signed_in, handoffs, a, b, time_machine):
    first, path = handoffs[0], f"/handoffs/{handoffs[0].pk}/sign/"
    time_machine(first.meeting_starts_at - MINUTE)
    assert path not in signed_in(a).get("/").content.decode()
    time_machine(first.meeting_starts_at)
    assert path not in signed_in(first.rotation.weeks.last().engineer).get("/").content.decode()
    for person, label in ((a, "Sign off as outgoing"), (b, "Accept hand-off")):
        browser = signed_in(person)
        page = browser.get("/").content.decode()
        assert (path in page, label in page) == (True, True)
        answer = browser.post(path, {"note": f"Seen by {person}.", "next": "/"})
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert path not in browser.get("/").content.decode()
    [note] = first.notes.all()
    assert (note.title, note.text) == ("Pending action items.", "Seen by Engineer A.\nSeen by Engineer B.")
    assert again(first).is_signed


def test_a_signature_can_be_undone_where_it_was_made(signed_in, handoffs, a, time_machine):
    time_machine(handoffs[0].at)
    browser = signed_in(a)
    path = f"/handoffs/{handoffs[0].pk}/"
    page = browser.post(f"{path}sign/", {"next": "/"}, follow=True).content.decode()
    assert "Outgoing engineer signed: " in browser.get(path).content.decode().partition('id="history"')[2]
    browser.post("/undo/", {"undo": re.search(r'name="undo" value="([^"]+)"', page)[1]})
    assert again(handoffs[0]).signed_outgoing_at is None


def test_a_note_that_cannot_be_saved_is_still_on_the_sheet(signed_in, handoffs, a, time_machine):
    first = handoffs[0]
    time_machine(first.at)
    sign_handoff(first, by=a, at=first.at)
    answer = signed_in(a).post(f"/handoffs/{first.pk}/sign/", {"note": "Typed on Now.", "next": "/"})
    assert answer.status_code == 409
    page = answer.content.decode()
    assert ("You have already signed this hand-off." in page, "Typed on Now." in page) == (True, True)
    assert not first.notes.exists()


@each("fields", [{"note": "Typed on Now."}, {"notes_0": "Typed on Now.", "base_0": ""}])
def test_a_note_for_a_sheet_that_has_closed_meanwhile_is_shown(signed_in, handoffs, a, b, time_machine, fields):
    first = handoffs[0]
    time_machine(first.at)
    for person in (a, b):
        sign_handoff(first, by=person, at=first.at)
    answer = signed_in(a).post(f"/handoffs/{first.pk}/sign/", {**fields, "next": "/"})
    page = answer.content.decode()
    assert (answer.status_code, "Your notes were not saved" in page, page.count("Typed on Now.")) == (409, True, 1)
    assert "Your notes were not saved" not in signed_in(a).get(f"/handoffs/{first.pk}/").content.decode()
    assert not first.notes.exists()


def test_now_lists_a_hand_off_to_sign_once(signed_in, handoffs, a, c, time_machine):
    time_machine(handoffs[0].at + 2 * HOUR)
    texts = {person: signed_in(person).get("/").content.decode() for person in (a, c)}
    assert ("Sign the hand-off" in texts[a], "Hand-off not signed" in texts[a]) == (True, False)
    assert ("Sign the hand-off" in texts[c], "Hand-off not signed" in texts[c]) == (False, True)
