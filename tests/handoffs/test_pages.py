"""Hand-offs in the browser and in Django's admin."""

import datetime as dt
import html

import pytest

from calendar_feeds.models import FeedToken
from calendar_feeds.services import create_feed
from handoffs.models import ActionItem, Handoff
from handoffs.services.action_items import add_item
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import sign_handoff
from scheduling.services.holidays import HolidayData, create_holiday
from tests.handoffs.conftest import NOW

HOUR = dt.timedelta(hours=1)


def text(answer):
    return html.unescape(answer.content.decode())


@pytest.fixture(autouse=True)
def _now(time_machine):
    time_machine(NOW)


@pytest.fixture
def sheet(handoffs):
    return f"/handoffs/{handoffs[0].pk}/"


def test_the_list_names_what_is_to_come_and_who_is_away(signed_in, handoffs, rotation, a, b):
    create_holiday(b, data=HolidayData(dt.date(2026, 11, 30), dt.date(2026, 11, 30)), by=b)
    page = text(signed_in(a).get("/handoffs/"))
    assert f'href="/handoffs/{handoffs[0].pk}/"' in page
    assert "Mon 30 Nov, 09:30 UTC" in page
    assert "Engineer B is away" in page
    assert 'aria-current="page">Hand-offs' in page


def test_the_list_says_what_to_do_where_there_is_none(signed_in, a, admin):
    assert "No upcoming hand-offs" in text(signed_in(a).get("/handoffs/"))
    assert "Import handbook" in text(signed_in(admin).get("/handoffs/"))


def test_notes_are_written_on_the_sheet(signed_in, handoffs, sheet, d):
    browser = signed_in(d)
    answer = browser.post(
        sheet, {"notes_0": "The ledger is late.\r\nAsk Ann.", "notes_1": "", "notes_2": "", "notes_3": ""}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, sheet)
    note = handoffs[0].notes.get()
    assert (note.title, note.text, note.edited_by) == (
        "Active issues being resolved.",
        "The ledger is late.\nAsk Ann.",
        d,
    )
    page = text(browser.get(sheet))
    assert "The ledger is late.\nAsk Ann.</textarea>" in page
    assert "Status of all pipelines" in page
    status = '<span class="badge">unknown</span>'
    line = f"Unit-level profit (experiment-focused)</a> — {status} — responder Engineer A"
    assert line in " ".join(page.split())


def test_a_note_too_long_stays_in_the_form_and_says_so(signed_in, sheet, a):
    answer = signed_in(a).post(sheet, {"notes_0": "x" * 20_001})
    assert answer.status_code == 400
    assert "at most 20000 characters" in text(answer)


def test_the_two_sign_and_the_sheet_can_no_longer_be_changed(signed_in, handoffs, sheet, a, b, c, time_machine):
    time_machine(handoffs[0].at)
    assert "Sign off as outgoing" in text(signed_in(a).get(sheet))
    assert "Sign off" not in text(signed_in(c).get(sheet))
    assert signed_in(c).post(sheet + "sign/").status_code == 403
    assert signed_in(a).post(sheet + "sign/").status_code == 302
    again = signed_in(a).post(sheet + "sign/")
    assert again.status_code == 409
    assert "You have already signed this hand-off." in text(again)
    signed_in(b).post(sheet + "sign/")
    page = text(signed_in(a).get(sheet))
    assert "Signed</span>" in page
    assert "<textarea" not in page
    late = signed_in(a).post(sheet, {"notes_0": "Late."})
    assert late.status_code == 409
    assert "Both engineers have signed. The notes are locked." in text(late)
    assert not handoffs[0].notes.exists()


def test_the_meeting_is_moved_in_the_reader_s_zone(signed_in, handoffs, sheet, a, c):
    a.time_zone = "Europe/Berlin"
    a.save()
    browser = signed_in(a)
    assert 'value="2026-11-30T10:30"' in text(browser.get(sheet))
    answer = browser.post(sheet + "meeting/", {"meeting_starts_at": "2026-11-30T08:00", "meeting_ends_at": ""})
    assert answer.status_code == 302
    row = Handoff.objects.get(pk=handoffs[0].pk)
    assert row.meeting_starts_at == dt.datetime(2026, 11, 30, 7, tzinfo=dt.UTC)
    assert row.meeting_ends_at == dt.datetime(2026, 11, 30, 7, 30, tzinfo=dt.UTC)
    assert "rescheduled" in text(browser.get(sheet))
    wrong = {"meeting_starts_at": "2026-11-30T08:00", "meeting_ends_at": "2026-11-30T09:00"}
    answer = browser.post(sheet + "meeting/", wrong)
    assert answer.status_code == 400
    assert "20–30 minutes" in text(answer)
    assert browser.post(sheet + "meeting/", {"meeting_starts_at": "x"}).status_code == 400
    assert "Reschedule and notify" not in text(signed_in(c).get(sheet))
    assert signed_in(c).post(sheet + "meeting/", wrong).status_code == 403


def test_a_cancelled_hand_off_says_so(signed_in, handoffs, rotation, sheet, a):
    rotation.weeks.filter(starts_on=handoffs[0].week).update(engineer=a)
    sync_handoffs(at=NOW)
    page = text(signed_in(a).get(sheet))
    assert "because the on-call engineer no longer changes" in page
    assert "<textarea" not in page
    assert signed_in(a).post(sheet + "sign/").status_code == 409
    assert signed_in(a).post(sheet, {"notes_0": "x"}).status_code == 409


def test_action_items_are_added_done_and_opened_again(signed_in, handoffs, rotation, sheet, a):
    browser = signed_in(a)
    answer = browser.post(
        "/action-items/add/", {"text": "Rerun", "rotation": rotation.slug, "pipeline": "", "next": sheet}
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, sheet)
    item = ActionItem.objects.get()
    assert "Rerun" in text(browser.get(sheet))
    assert "Rerun" in text(browser.get("/handoffs/"))
    answer = browser.post(f"/action-items/{item.pk}/done/", {"next": "https://evil.example/"})
    assert answer.headers["Location"] == "/handoffs/"
    assert ActionItem.objects.get().done_by == a
    assert "Action item done: “Rerun”." in text(browser.get(sheet))
    assert "Rerun" not in text(browser.get(sheet))
    browser.post(f"/action-items/{item.pk}/open/")
    assert ActionItem.objects.get().done_at is None
    wrong = browser.post("/action-items/add/", {"text": " ", "rotation": rotation.slug})
    assert wrong.status_code == 400
    assert "This field is required" in text(wrong)


def test_now_names_the_next_hand_off_and_those_that_lack_a_signature(signed_in, handoffs, a, b, time_machine):
    page = text(signed_in(a).get("/"))
    assert "Next hand-off" in page
    assert f'href="/handoffs/{handoffs[0].pk}/"' in page
    assert "Hand-off not signed" not in page
    sign_handoff(handoffs[0], by=a, at=handoffs[0].at)
    time_machine(handoffs[0].at + HOUR)
    page = text(signed_in(a).get("/"))
    assert "Hand-off not signed: Engineer A → Engineer B" in page
    assert "Waiting for Engineer B" in page
    assert "Waiting for Engineer A" not in page
    assert "Hand-off not signed" in text(signed_in(a).get("/handoffs/"))
    sign_handoff(handoffs[0], by=b, at=handoffs[0].at + HOUR)
    assert "Hand-off not signed" not in text(signed_in(a).get("/"))


def test_a_feed_s_address_is_shown_once_and_revoked_by_its_owner(signed_in, client, handoffs, rotation, a, b):
    browser = signed_in(a)
    assert "No feeds yet" in text(browser.get("/me/feeds/"))
    created = text(browser.post("/me/feeds/", {"rotation": rotation.slug}, follow=True))
    address = created.split('<code id="feed-url" class="secret">')[1].split("</code>")[0]
    assert address.startswith("http://127.0.0.1:8000/feeds/feed_")
    assert f'href="webcal{address.removeprefix("http")}"' in created
    path = address.removeprefix("http://127.0.0.1:8000")
    assert client.get(path).status_code == 200
    token = FeedToken.objects.get()
    page = text(browser.get("/me/feeds/"))
    assert token.prefix in page
    assert address not in page
    assert signed_in(b).post(f"/me/feeds/{token.pk}/revoke/").status_code == 404
    assert browser.post(f"/me/feeds/{token.pk}/revoke/").status_code == 302
    assert client.get(path).status_code == 404
    assert browser.post("/me/feeds/", {"rotation": "nothing"}).status_code == 400


def test_a_person_s_own_feed_is_the_first_choice(signed_in, handoffs, a):
    signed_in(a).post("/me/feeds/", {"rotation": ""})
    assert (FeedToken.objects.get().owner, FeedToken.objects.get().rotation) == (a, None)


# The admin


def test_an_admin_moves_a_meeting_in_the_admin(signed_in, handoffs, admin):
    path = f"/admin/handoffs/handoff/{handoffs[0].pk}/change/"
    browser = signed_in(admin)
    inlines = {"notes-TOTAL_FORMS": 0, "notes-INITIAL_FORMS": 0}
    typed = {
        "meeting_starts_at_0": "2026-11-30", "meeting_starts_at_1": "08:00",
        "meeting_ends_at_0": "2026-11-30", "meeting_ends_at_1": "09:00", **inlines,
    }  # fmt: skip
    assert "20–30 minutes" in text(browser.post(path, typed))
    assert browser.post(path, {**typed, "meeting_ends_at_1": "08:30"}).status_code == 302
    row = Handoff.objects.get(pk=handoffs[0].pk)
    assert (row.meeting_starts_at.hour, row.moved, row.sequence) == (8, True, 1)


def test_action_items_are_kept_in_the_admin(signed_in, rotation, admin):
    browser = signed_in(admin)
    typed = {"rotation": rotation.pk, "text": " Rerun ", "pipeline": ""}
    assert browser.post("/admin/handoffs/actionitem/add/", typed).status_code == 302
    item = ActionItem.objects.get()
    assert (item.text, item.created_by) == ("Rerun", admin)
    browser.post(f"/admin/handoffs/actionitem/{item.pk}/change/", {"text": "Rerun twice", "pipeline": ""})
    browser.post("/admin/handoffs/actionitem/", {"action": "mark_done", "_selected_action": [item.pk]})
    item.refresh_from_db()
    assert (item.text, item.done_by) == ("Rerun twice", admin)


def test_an_admin_revokes_a_feed_s_address_in_the_admin(signed_in, client, rotation, a, admin):
    created = create_feed(a, rotation=None, at=NOW)
    browser = signed_in(admin)
    assert created.token.prefix in text(browser.get("/admin/calendar_feeds/feedtoken/"))
    assert created.token.digest not in text(browser.get(f"/admin/calendar_feeds/feedtoken/{created.token.pk}/change/"))
    browser.post("/admin/calendar_feeds/feedtoken/", {"action": "revoke", "_selected_action": [created.token.pk]})
    assert client.get(f"/feeds/{created.secret}.ics").status_code == 404


def test_the_lists_of_the_admin_answer(signed_in, handoffs, rotation, a, admin):
    add_item(rotation, text="x", by=a, at=NOW)
    for name in ("handoff", "actionitem", "handoffpolicy"):
        assert signed_in(admin).get(f"/admin/handoffs/{name}/").status_code == 200
