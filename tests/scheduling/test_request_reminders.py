"""Reminders of open swap and cover requests: who may send them, who receives them, and how often; in the browser and the API."""

import datetime as dt

import pytest
from django.utils import timezone

from common.exceptions import DomainError, NotAllowedError
from notifications.models import Message
from notifications.registry import load
from scheduling.models import CoverRequest, Rotation, SwapRequest
from scheduling.services.cover_requests import (
    CoverProposal,
    cancel_cover_request,
    decline_cover_request,
    remind_cover_request,
    request_cover,
)
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, remind_swap, request_swap
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def weeks(db, now):
    """The weeks that begin in a week or later, in order."""
    import_example(at=now)
    rows = Rotation.objects.get().weeks.filter(starts_at__gt=now).select_related("rotation", "engineer")
    return list(rows.order_by("starts_on")[1:8])


def ask_swap(weeks, *, at, **fields):
    week = weeks[0]
    return request_swap(week.rotation, proposal=SwapProposal(week.starts_on, **fields), by=week.engineer, at=at)


def ask_cover(weeks, *, at, **fields):
    week = weeks[0]
    proposal = CoverProposal(week.starts_at, week.starts_at + 6 * HOUR, **fields)
    return request_cover(week.rotation, proposal=proposal, by=week.engineer, at=at)


# How to ask, remind, decline and withdraw; the type of the reminder; the paths.
KINDS = {
    "swap": (ask_swap, remind_swap, decline_swap, cancel_swap, "swap-reminder", "/swaps/", "/api/v1/swaps/"),
    "cover": (
        ask_cover,
        remind_cover_request,
        decline_cover_request,
        cancel_cover_request,
        "cover-reminder",
        "/covers/requests/",
        "/api/v1/cover-requests/",
    ),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def reminded_users(name):
    """Return the user names of those who were sent reminders of this type, with duplicates."""
    return sorted(Message.objects.filter(type=name).values_list("recipient__username", flat=True))


def reload(row):
    return type(row).objects.get(pk=row.pk)


def test_the_recipient_is_reminded_once_in_24_hours(kind, weeks, now):
    ask, remind, _, _, name, _, _ = kind
    row = ask(weeks, at=now, counterpart=weeks[1].engineer)
    assert remind(row, by=row.requester, at=now + HOUR).reminded_at == now + HOUR
    assert reminded_users(name) == [weeks[1].engineer.username]
    with pytest.raises(DomainError, match="You can send the next one in 1 h") as raised:
        remind(row, by=row.requester, at=now + DAY)
    assert type(raised.value) is DomainError
    assert reminded_users(name) == [weeks[1].engineer.username]
    remind(row, by=row.requester, at=now + DAY + HOUR)
    assert reminded_users(name) == [weeks[1].engineer.username] * 2


def test_a_request_to_anyone_reminds_those_who_have_not_answered(kind, weeks, now):
    ask, remind, decline, _, name, _, _ = kind
    row = ask(weeks, at=now)
    decline(row, by=weeks[1].engineer, at=now)
    remind(row, by=row.requester, at=now)
    assert reminded_users(name) == sorted(week.engineer.username for week in weeks[2:4])


def test_an_admin_may_remind_and_others_may_not(kind, weeks, now, admin):
    ask, remind, _, _, name, _, _ = kind
    row = ask(weeks, at=now, counterpart=weeks[1].engineer)
    for person in (weeks[1].engineer, weeks[2].engineer):
        with pytest.raises(NotAllowedError):
            remind(row, by=person, at=now)
    remind(row, by=admin, at=now)
    assert reminded_users(name) == [weeks[1].engineer.username]


def test_a_closed_or_expired_request_sends_no_reminder(kind, weeks, now):
    ask, remind, _, cancel, name, _, _ = kind
    row = ask(weeks, at=now, counterpart=weeks[1].engineer)
    with pytest.raises(DomainError, match="has expired"):
        remind(row, by=row.requester, at=row.expires_at)
    cancel(row, by=row.requester, at=now)
    with pytest.raises(DomainError, match="already withdrawn"):
        remind(row, by=row.requester, at=now)
    assert reminded_users(name) == []
    assert reload(row).reminded_at is None


def test_a_three_way_swap_reminds_the_one_who_has_not_accepted(weeks, now):
    row = ask_swap(
        weeks,
        at=now,
        wanted_week=weeks[1].starts_on,
        counterpart=weeks[1].engineer,
        third_week=weeks[2].starts_on,
        third=weeks[2].engineer,
    )
    accept_swap(row, by=weeks[1].engineer, at=now)
    remind_swap(row, by=row.requester, at=now)
    assert reminded_users("swap-reminder") == [weeks[2].engineer.username]


def test_the_message_says_that_it_is_a_reminder_and_is_dropped_when_answered(kind, weeks, now):
    ask, remind, decline, _, name, path, _ = kind
    row = ask(weeks, at=now, counterpart=weeks[1].engineer, message="A wedding.")
    remind(row, by=row.requester, at=now)
    message = Message.objects.get(type=name)
    notification = load(message.type, message.context)
    assert notification.subject(message.recipient).startswith(f"Reminder: {row.requester} asks for ")
    assert "“A wedding.”" in notification.body(message.recipient)
    assert notification.link() == f"{path}{row.pk}/"
    assert notification.is_still_relevant(message.recipient, now)
    decline(row, by=message.recipient, at=now)
    assert not notification.is_still_relevant(message.recipient, now)


def test_the_button_sends_one_reminder_and_goes_away_for_a_day(kind, weeks, signed_in):
    ask, _, _, _, name, path, _ = kind
    row = ask(weeks, at=timezone.now(), counterpart=weeks[1].engineer)
    page, browser = f"{path}{row.pk}/", signed_in(row.requester)
    assert "Send reminder" in browser.get(page).content.decode()
    answer = browser.post(f"{page}remind/", follow=True)
    assert "Reminder sent: " in answer.content.decode()
    assert "Send reminder" not in answer.content.decode()
    again = browser.post(f"{page}remind/")
    assert again.status_code == 409
    assert "A reminder was sent less than 24 hours ago." in again.content.decode()
    assert reminded_users(name) == [weeks[1].engineer.username]
    assert "Send reminder" not in signed_in(weeks[1].engineer).get(page).content.decode()


def test_a_double_click_sends_one_reminder(kind, weeks, signed_in):
    ask, _, _, _, name, path, _ = kind
    row = ask(weeks, at=timezone.now(), counterpart=weeks[1].engineer)
    browser, form = signed_in(row.requester), {"form_key": "a" * 22}
    answers = [browser.post(f"{path}{row.pk}/remind/", form) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert reminded_users(name) == [weeks[1].engineer.username]


def test_the_api_sends_a_reminder_once(kind, weeks, client):
    ask, _, _, _, name, _, path = kind
    row = ask(weeks, at=timezone.now(), counterpart=weeks[1].engineer)
    call = {"path": f"{path}{row.pk}/remind/", **bearer(row.requester)}
    answer = client.post(**call)
    assert answer.status_code == 200
    assert answer.json()["reminded_at"] == reload(row).reminded_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    again = client.post(**call)
    assert again.status_code == 409
    assert "less than 24 hours ago" in again.json()["detail"]
    assert client.post(call["path"], **bearer(weeks[1].engineer)).status_code == 403
    assert reminded_users(name) == [weeks[1].engineer.username]


def test_the_database_keeps_the_time_of_the_last_reminder_in_the_history(weeks, now):
    swap = ask_swap(weeks, at=now, counterpart=weeks[1].engineer)
    cover = ask_cover(weeks, at=now)
    remind_swap(swap, by=swap.requester, at=now)
    remind_cover_request(cover, by=cover.requester, at=now)
    assert SwapRequest.objects.get().reminded_at == CoverRequest.objects.get().reminded_at == now
