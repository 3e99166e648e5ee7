"""Linked calendars: connecting, syncing, status and secrecy of the URL."""

import datetime as dt
import logging

import pytest
from django.db import connection
from django.utils import timezone

from common.crypto import DecryptionError
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.safe_http import FetchResult, UnreachableError
from people.models import User
from scheduling import tasks
from scheduling.models import CalendarLink, HolidayBlock
from scheduling.queries.calendar_links import links_due
from scheduling.services.calendar_links import claim_link, link_calendar, sync_link, unlink_calendar
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday, update_holiday
from tests.each import each
from tests.factories import bearer
from tests.scheduling.ical import calendar, event

JSON = "application/json"
ADDRESS = "https://calendar.example/private-3f9a77/basic.ics"
SECRET = "private-3f9a77"


@pytest.fixture
def now():
    return dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@pytest.fixture
def link(a):
    return link_calendar(a, address=ADDRESS, by=a)


def answering(*events):
    return lambda address: FetchResult(calendar(*events), address)


def failing(address):
    raise UnreachableError("The address answers 404.")


def blocks(user):
    return [(str(row.starts_on), str(row.ends_on)) for row in HolidayBlock.objects.filter(engineer=user)]


def test_all_day_events_become_absences_and_follow_the_calendar(link, a, now):
    christmas = event("20261221", "DTEND;VALUE=DATE:20261226", uid="x")
    read = sync_link(link, at=now, fetch=answering(christmas, event("20270104", uid="y")))
    assert (read.state, read.last_success_at, read.problem) == ("ok", now, "")
    assert blocks(a) == [("2026-12-21", "2026-12-25"), ("2027-01-04", "2027-01-04")]
    row = HolidayBlock.objects.get(link_uid="x")
    assert (row.kind, row.note, row.starts_at.isoformat()) == ("other", "Skiing", "2026-12-21T00:00:00+00:00")
    longer = event("20261221", "DTEND;VALUE=DATE:20261228", uid="x")
    sync_link(link, at=now, fetch=answering(longer))
    assert blocks(a) == [("2026-12-21", "2026-12-27")]
    assert HolidayBlock.objects.get().pk == row.pk


def test_a_malformed_event_is_named_and_the_sync_is_not_called_complete(link, client, signed_in, a, now):
    bad = "UID:bad\nSUMMARY:bad\nDTSTART;VALUE=DATE:2026-12-07"
    synced = sync_link(link, at=now, fetch=answering(bad, event("20261214", uid="good")))
    assert (synced.state, synced.problem) == ("partial", "1 event could not be read.")
    assert blocks(a) == [("2026-12-14", "2026-12-14")]
    page = signed_in(a).get("/me/calendar-link/").content.decode()
    assert "Partly synced" in page
    assert "<strong>bad</strong>: The start date “2026-12-07” is invalid." in page
    row = client.get("/api/v1/calendar-link/", **bearer(a)).json()
    assert (row["state"], row["problem"]) == ("partial", "1 event could not be read. Skipped: “bad”.")
    assert row["skipped_events"] == [{"title": "bad", "reason": "The start date “2026-12-07” is invalid."}]
    assert sync_link(link, at=now, fetch=answering(event("20261214", uid="good"))).state == "ok"
    assert client.get("/api/v1/calendar-link/", **bearer(a)).json()["skipped_events"] == []


def test_midnights_count_in_the_engineer_s_zone(link, a, now):
    User.objects.filter(pk=a.pk).update(time_zone="Europe/Berlin")
    link.engineer.refresh_from_db()
    out_of_office = "UID:o\nSUMMARY:Away\nDTSTART:20261206T230000Z\nDTEND:20261211T230000Z"
    assert sync_link(link, at=now, fetch=answering(out_of_office)).state == "ok"
    assert blocks(a) == [("2026-12-07", "2026-12-11")]


def test_a_past_event_that_is_extended_becomes_a_longer_absence(link, a, now):
    sync_link(link, at=now, fetch=answering(event("20261110", "DTEND;VALUE=DATE:20261113")))
    longer = event("20261110", "DTEND;VALUE=DATE:20261201")
    assert sync_link(link, at=now + dt.timedelta(days=10), fetch=answering(longer)).state == "ok"
    assert blocks(a) == [("2026-11-10", "2026-11-30")]


def test_two_events_with_one_identity_become_the_longer(link, a, now):
    sync_link(link, at=now, fetch=answering(event("20261221"), event("20261221", "DTEND;VALUE=DATE:20261226")))
    assert blocks(a) == [("2026-12-21", "2026-12-25")]


def test_an_unchanged_event_is_not_written_again(link, now):
    sync_link(link, at=now, fetch=answering(event()))
    history = HolidayBlock.pgh_event_model.objects.count()
    sync_link(link, at=now, fetch=answering(event()))
    assert HolidayBlock.pgh_event_model.objects.count() == history


def test_syncing_leaves_typed_absences_alone(link, a, now):
    day = dt.date(2026, 12, 21)
    own = create_holiday(a, data=HolidayData(day, day), by=a)
    sync_link(link, at=now, fetch=answering(event()))
    sync_link(link, at=now, fetch=answering())
    assert HolidayBlock.objects.get() == own


def test_a_failed_sync_changes_nothing_and_records_the_reason(link, a, now):
    sync_link(link, at=now, fetch=answering(event()))
    later = now + dt.timedelta(hours=1)
    read = sync_link(link, at=later, fetch=failing)
    assert (read.state, read.problem, read.last_read_at, read.last_success_at) == (
        "failing",
        "The address answers 404.",
        later,
        now,
    )
    assert len(blocks(a)) == 1
    read = sync_link(link, at=later, fetch=lambda address: FetchResult(b"<html>", address))
    assert "does not return a calendar" in read.problem
    assert sync_link(link, at=later, fetch=answering()).problem == ""


def test_past_absences_stay_when_the_calendar_drops_them(link, a, now):
    sync_link(link, at=now, fetch=answering(event("20261120")))
    sync_link(link, at=now + dt.timedelta(days=60), fetch=answering())
    assert blocks(a) == [("2026-11-20", "2026-11-20")]


def test_an_imported_absence_cannot_be_edited(link, client, signed_in, a, admin, now):
    sync_link(link, at=now, fetch=answering(event()))
    block = HolidayBlock.objects.get()
    with pytest.raises(DomainError, match="linked calendar"):
        delete_holiday(block, by=admin)
    with pytest.raises(DomainError, match="linked calendar"):
        update_holiday(block, data=HolidayData(block.starts_on, block.ends_on), by=a)
    assert client.delete(f"/api/v1/holidays/{block.pk}/", **bearer(a)).status_code == 409
    assert signed_in(a).get(f"/calendar/holidays/{block.pk}/").status_code == 404
    assert "from the linked calendar" in signed_in(a).get("/calendar/2026/12/").content.decode()
    signed_in(admin).post(f"/admin/scheduling/holidayblock/{block.pk}/delete/", {"post": "yes"})
    assert HolidayBlock.objects.exists()


def test_only_the_engineer_and_admins_link_a_calendar(a, b, admin, link):
    for do in (lambda: link_calendar(a, address=ADDRESS, by=b), lambda: unlink_calendar(link, by=b)):
        with pytest.raises(NotAllowedError):
            do()
    unlink_calendar(link, by=admin)
    assert not CalendarLink.objects.exists()


@each(
    "address",
    ["", "calendar", "ftp://x/", "https://user:word@x/", "https://x:22/", "https://x/\0", "file:///etc/passwd"],
)
def test_an_invalid_url_is_refused_by_field(a, address):
    with pytest.raises(InvalidInputError) as caught:
        link_calendar(a, address=address, by=a)
    assert list(caught.value.problems) == ["address"]


def test_webcal_urls_are_read_over_https(a):
    link = link_calendar(a, address="webcal://calendar.example/x.ics", by=a)
    assert link.address == "https://calendar.example/x.ics"
    assert link.host == "calendar.example"


def test_each_link_is_synced_hourly_by_one_worker(link, a, b, now, monkeypatch):
    other = link_calendar(b, address=ADDRESS, by=b)
    assert list(links_due(at=now)) == [link, other]
    assert claim_link(link, at=now)
    assert not claim_link(link, at=now)
    assert list(links_due(at=now + dt.timedelta(minutes=59))) == [other]
    assert len(links_due(at=now + dt.timedelta(minutes=60))) == 2
    read = []
    monkeypatch.setattr(tasks, "sync_link", lambda link, at: read.append(link))
    CalendarLink.objects.update(last_read_at=None)
    tasks.sync_calendar_links()
    tasks.sync_calendar_links()
    assert read == [link, other]


def test_the_task_survives_a_failing_calendar(link, monkeypatch):
    # The host of the test does not exist: that is the link's problem, not the task's.
    tasks.sync_calendar_links()
    link.refresh_from_db()
    assert (link.state, link.last_success_at) == ("failing", None)
    assert link.problem


# In the browser, through the API, in the admin


def test_an_engineer_connects_syncs_and_disconnects(signed_in, a):
    browser = signed_in(a)
    page = browser.post("/me/calendar-link/", {"address": ADDRESS}, follow=True).content.decode()
    assert "calendar.example" in page
    assert "Failing" in page
    assert SECRET not in page
    assert browser.post("/me/calendar-link/sync/").status_code == 302
    assert "Linked calendar" in browser.get("/me/").content.decode()
    browser.post("/me/calendar-link/unlink/")
    assert not CalendarLink.objects.exists()
    assert browser.post("/me/calendar-link/unlink/").status_code == 404
    wrong = browser.post("/me/calendar-link/", {"address": "nothing"})
    assert wrong.status_code == 400
    assert 'value="nothing"' in wrong.content.decode()


def test_the_api_connects_reads_and_disconnects(client, a):
    path = "/api/v1/calendar-link/"
    assert client.get(path, **bearer(a)).status_code == 404
    created = client.put(path, {"address": ADDRESS}, content_type=JSON, **bearer(a))
    assert created.status_code == 200
    assert (created.json()["host"], created.json()["state"], "address" in created.json()) == (
        "calendar.example",
        "failing",
        False,
    )
    assert client.get(path, **bearer(a)).json() == created.json()
    assert client.put(path, {"address": "x"}, content_type=JSON, **bearer(a)).json().keys() == {"address"}
    assert client.put(path, {"address": "https://x/\0"}, content_type=JSON, **bearer(a)).status_code == 400
    assert client.delete(path, **bearer(a)).status_code == 204


def test_the_admin_lists_and_disconnects_calendars(signed_in, admin, link):
    browser = signed_in(admin)
    page = browser.get("/admin/scheduling/calendarlink/").content.decode()
    assert "calendar.example" in page
    assert SECRET not in page + browser.get(f"/admin/scheduling/calendarlink/{link.pk}/change/").content.decode()
    browser.post("/admin/scheduling/calendarlink/", {"action": "unlink", "_selected_action": [link.pk]})
    assert not CalendarLink.objects.exists()


# The address stays secret


def test_the_url_is_in_neither_database_nor_log(link, now, caplog):
    caplog.set_level(logging.DEBUG)
    sync_link(link, at=now)
    link_calendar(link.engineer, address=ADDRESS, by=link.engineer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" row WHERE row::text LIKE %s', [f"%{SECRET}%"])  # noqa: S608  # a name of our own catalogue
            assert cursor.fetchone()[0] == 0, table
    assert SECRET not in caplog.text


def test_a_url_survives_key_rotation(settings, a, now):
    settings.FIELD_KEYS = ["old"]
    link = link_calendar(a, address=ADDRESS, by=a)
    settings.FIELD_KEYS = ["new", "old"]
    link.refresh_from_db()
    assert link.address == ADDRESS
    settings.FIELD_KEYS = ["new"]
    link = CalendarLink.objects.get()
    with pytest.raises(DecryptionError):
        _ = link.address
    assert "no longer known" in sync_link(link, at=now, fetch=answering()).problem


def test_disconnecting_deletes_imported_absences(link, a, now):
    sync_link(link, at=now, fetch=answering(event()))
    unlink_calendar(link, by=a)
    assert blocks(a) == []
    assert sync_link(link, at=timezone.now(), fetch=answering(event())) == link
    assert blocks(a) == []
