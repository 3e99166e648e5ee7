"""Cover requests: request, accept in full or in part, decline, withdraw, expire, supersede; on pages, in the API and in the admin."""

import datetime as dt
import html
import re
from dataclasses import astuple

import pytest
from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_period
from notifications.models import Message
from notifications.registry import load
from scheduling.models import Cover, CoverRequest, Rotation, RotationWeek
from scheduling.queries.cover_requests import cover_requests_to_answer, open_periods
from scheduling.queries.on_call import on_call_shifts
from scheduling.services.cover_requests import (
    CoverProposal,
    accept_cover_request,
    cancel_cover_request,
    decline_cover_request,
    expire_cover_requests,
    request_cover,
)
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.offboarding import deactivate
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import archive_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.each import each
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

JSON = "application/json"
HOUR, WEEK = dt.timedelta(hours=1), dt.timedelta(weeks=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    import_example(at=now)
    return Rotation.objects.get()


@pytest.fixture
def weeks(rotation, now):
    """The weeks that have not begun, in order."""
    return list(rotation.weeks.filter(starts_at__gt=now).select_related("engineer").order_by("starts_on"))


@pytest.fixture
def week(weeks):
    return weeks[0]


@pytest.fixture
def others(week, a, b, c, d):
    return [person for person in (a, b, c, d) if person != week.engineer]


def ask(rotation, week, begin=10, end=20, *, at, by=None, **fields):
    """Request a cover from one hour of a week to another."""
    proposal = CoverProposal(week.starts_at + HOUR * begin, week.starts_at + HOUR * end, **fields)
    return request_cover(rotation, proposal=proposal, by=by or week.engineer, at=at)


def on_call(rotation, week, *hours):
    return [on_call_shifts([rotation], at=week.starts_at + HOUR * hour)[0].engineer.id for hour in hours]


def stored(request):
    return CoverRequest.objects.get(pk=request.pk)


def open_hours(request, week, *, at):
    """Return the open time in hours since the week's start."""
    periods = open_periods([stored(request)], at=at)[request.pk]
    return [((begin - week.starts_at) / HOUR, (end - week.starts_at) / HOUR) for begin, end in periods]


def sent(kind):
    return {
        (row.recipient.username, row.subject) for row in Message.objects.filter(type=kind).select_related("recipient")
    }


# Requesting


def test_a_request_changes_nothing_until_it_is_accepted(rotation, week, others, now):
    request = ask(rotation, week, at=now, counterpart=others[0], message="Dentist")
    assert (request.requester, request.counterpart, request.state) == (week.engineer, others[0], "pending")
    assert request.expires_at == min(now + 2 * WEEK, request.ends_at)
    assert on_call(rotation, week, 9, 10, 19) == [week.engineer_id] * 3
    assert open_hours(request, week, at=now) == [(10, 20)]
    assert [name for name, _ in sent("cover-requested")] == [others[0].username]


def test_a_request_to_anyone_notifies_the_roster(rotation, week, others, outsider, now):
    ask(rotation, week, at=now)
    assert {name for name, _ in sent("cover-requested")} == {person.username for person in others}


def test_only_the_engineer_on_call_or_an_admin_can_request(rotation, week, others, admin, now):
    with pytest.raises(NotAllowedError, match="your own on-call time"):
        ask(rotation, week, at=now, by=others[0])
    request = ask(rotation, week, at=now, by=admin)
    assert (request.requester, request.requested_by) == (week.engineer, admin)
    assert week.engineer.username in {name for name, _ in sent("cover-requested")}


def test_wrong_input_is_named_by_field(rotation, week, others, outsider, now):
    outsider.is_active = False
    outsider.save()
    mine = week.engineer
    last = rotation.weeks.order_by("-starts_on").first()
    for begin, end, counterpart, field in (
        (week.starts_at + 5 * HOUR, week.starts_at + 5 * HOUR, None, "ends_at"),
        (now - HOUR, week.starts_at, None, "starts_at"),
        (week.starts_at, week.ends_at + HOUR, None, "ends_at"),
        (last.starts_at, last.ends_at + HOUR, None, "ends_at"),
        (week.starts_at, week.ends_at, mine, "counterpart"),
        (week.starts_at, week.ends_at, outsider, "counterpart"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            request_cover(
                rotation,
                proposal=CoverProposal(begin, end, counterpart=counterpart),
                by=last.engineer if begin == last.starts_at else mine,
                at=now,
            )
        assert list(caught.value.problems) == [field]
    assert not CoverRequest.objects.exists()


def test_a_covering_engineer_cannot_ask_the_engineer_of_the_shift(rotation, week, others, now):
    """Nobody can cover a shift of their own, so such a request could only be declined."""
    owner, covering = week.engineer, others[0]
    data = CoverData(covering, week.starts_at + 12 * HOUR, week.starts_at + 20 * HOUR)
    create_cover(rotation, data=data, by=owner, at=now)
    with pytest.raises(InvalidInputError) as refused:
        ask(rotation, week, 12, 18, at=now, by=covering, counterpart=owner)
    assert refused.value.problems == {"counterpart": [f"This is {owner}’s own shift. End {covering}’s cover instead."]}
    request = ask(rotation, week, 12, 18, at=now, by=covering, counterpart=others[1])
    accept_cover_request(request, by=others[1], at=now)
    assert on_call(rotation, week, 11, 12, 18) == [owner.id, others[1].id, covering.id]


def test_open_requests_of_an_engineer_never_overlap(rotation, week, now):
    request = ask(rotation, week, 10, 20, at=now)
    with pytest.raises(DomainError, match="open cover request already"):
        ask(rotation, week, 19, 21, at=now)
    with pytest.raises(IntegrityError, match="open_cover_requests_never_overlap"), transaction.atomic():
        CoverRequest.objects.create(
            rotation=rotation,
            requester=week.engineer,
            requested_by=week.engineer,
            starts_at=request.starts_at,
            ends_at=request.ends_at,
            created_at=now,
            expires_at=request.expires_at,
        )
    ask(rotation, week, 20, 21, at=now)
    cancel_cover_request(request, by=week.engineer, at=now)
    ask(rotation, week, 9, 12, at=now)
    states = list(CoverRequest.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["cancelled", "pending", "pending"]


def test_an_expired_request_does_not_stand_in_the_way(rotation, week, now):
    old = ask(rotation, week, at=now)
    CoverRequest.objects.filter(pk=old.pk).update(expires_at=now)
    ask(rotation, week, at=now)
    assert stored(old).state == "expired"


def test_an_archived_rotation_takes_no_requests(rotation, week, admin, now):
    archive_rotation(rotation, by=admin, at=now)
    with pytest.raises(DomainError, match="archived"):
        ask(rotation, week, at=now)


# Accepting


def test_accepting_all_covers_the_time_at_once(rotation, week, others, now):
    request = ask(rotation, week, at=now, message="Dentist")
    accepted = accept_cover_request(request, by=others[1], at=now)
    assert (accepted.state, accepted.decided_by, accepted.decided_at) == ("accepted", others[1], now)
    [cover] = Cover.objects.all()
    assert (cover.engineer, cover.covered_engineer, cover.reason, cover.request) == (
        others[1],
        week.engineer,
        "Dentist",
        request,
    )
    assert on_call(rotation, week, 9, 10, 19, 20) == [
        week.engineer_id,
        others[1].pk,
        others[1].pk,
        week.engineer_id,
    ]
    assert {name for name, _ in sent("cover-request-accepted")} == {week.engineer.username, others[1].username}
    assert sent("cover-created") == set()


def test_a_part_can_be_accepted_and_the_rest_stays_open(rotation, week, others, now):
    one, other, _ = others
    request = ask(rotation, week, 10, 20, at=now)
    start = week.starts_at
    partly = accept_cover_request(request, by=one, at=now, starts_at=start + 12 * HOUR, ends_at=start + 15 * HOUR)
    assert (partly.state, open_hours(request, week, at=now)) == ("pending", [(10, 12), (15, 20)])
    with pytest.raises(DomainError, match="already covered"):
        accept_cover_request(request, by=other, at=now, starts_at=start + 14 * HOUR, ends_at=start + 16 * HOUR)
    done = accept_cover_request(request, by=other, at=now)
    assert (done.state, open_hours(request, week, at=now)) == ("accepted", [])
    assert on_call(rotation, week, 9, 10, 12, 15, 19, 20) == [
        week.engineer_id,
        other.pk,
        one.pk,
        other.pk,
        other.pk,
        week.engineer_id,
    ]
    with pytest.raises(DomainError, match="already accepted"):
        accept_cover_request(request, by=one, at=now)


def test_a_request_may_span_a_shift_boundary(rotation, weeks, others, admin, now):
    one, two = weeks[0], weeks[1]
    RotationWeek.objects.filter(pk=two.pk).update(engineer=one.engineer)
    taker = next(person for person in others if person != two.engineer)
    request = ask(rotation, one, 160, 180, at=now)
    accept_cover_request(request, by=taker, at=now)
    covers = list(Cover.objects.order_by("starts_at"))
    assert [(row.starts_at, row.ends_at) for row in covers] == [
        (request.starts_at, one.ends_at),
        (two.starts_at, request.ends_at),
    ]
    assert {row.series for row in covers} == {covers[0].pk}


def test_a_part_outside_the_request_is_refused(rotation, week, others, now):
    request = ask(rotation, week, 10, 20, at=now)
    start = week.starts_at
    for begin, end, field in ((9, 15, "starts_at"), (15, 21, "ends_at"), (15, 15, "ends_at")):
        with pytest.raises(InvalidInputError) as caught:
            accept_cover_request(
                request, by=others[0], at=now, starts_at=start + begin * HOUR, ends_at=start + end * HOUR
            )
        assert list(caught.value.problems) == [field]
    assert not Cover.objects.exists()


def test_a_running_request_is_accepted_from_now_on(rotation, week, others, now):
    request = ask(rotation, week, 10, 20, at=now)
    later = week.starts_at + 15 * HOUR
    accept_cover_request(request, by=others[0], at=later)
    assert Cover.objects.get().starts_at == later


def test_only_recipients_accept_and_admins_on_behalf(rotation, week, others, admin, outsider, now):
    one, other, _ = others
    request = ask(rotation, week, at=now, counterpart=one)
    for person in (other, outsider, week.engineer):
        with pytest.raises(NotAllowedError):
            accept_cover_request(request, by=person, at=now)
    with pytest.raises(NotAllowedError, match="on behalf"):
        accept_cover_request(request, by=other, engineer=one, at=now)
    accepted = accept_cover_request(request, by=admin, at=now)
    cover = Cover.objects.get()
    assert (cover.engineer, cover.created_by, accepted.decided_by) == (one, admin, admin)
    open_to_all = ask(rotation, week, 30, 40, at=now)
    accept_cover_request(open_to_all, by=admin, engineer=other, at=now)
    assert on_call(rotation, week, 30) == [other.pk]


def test_covering_while_away_needs_confirmation(rotation, week, others, now):
    day = week.starts_at.date()
    create_holiday(others[0], data=HolidayData(day, day), by=others[0])
    request = ask(rotation, week, 1, 3, at=now, counterpart=others[0])
    with pytest.raises(DomainError, match="away") as caught:
        accept_cover_request(request, by=others[0], at=now)
    assert [row["engineer"] for row in caught.value.details["conflicts"]] == [others[0].username]
    assert accept_cover_request(request, by=others[0], at=now, acknowledge_conflicts=True).state == "accepted"


def test_ending_an_accepted_part_opens_that_time_again(rotation, week, others, now):
    request = ask(rotation, week, 10, 20, at=now)
    start = week.starts_at
    accept_cover_request(request, by=others[0], at=now, starts_at=start + 10 * HOUR, ends_at=start + 12 * HOUR)
    end_cover(Cover.objects.get(), by=others[0], at=now)
    assert (stored(request).state, open_hours(request, week, at=now)) == ("pending", [(10, 20)])


# Declining, withdrawing, expiring


def test_a_named_engineer_declines_for_good(rotation, week, others, now):
    request = ask(rotation, week, at=now, counterpart=others[0])
    declined = decline_cover_request(request, by=others[0], at=now, comment="I travel.")
    assert (declined.state, declined.reason) == ("declined", "I travel.")
    assert {name for name, _ in sent("cover-request-declined")} == {week.engineer.username, others[0].username}


def test_a_request_to_anyone_closes_when_everyone_declined(rotation, week, others, now):
    request = ask(rotation, week, at=now)
    states = [decline_cover_request(request, by=person, at=now).state for person in others]
    assert states == ["pending", "pending", "declined"]


def test_who_declined_cannot_answer_again(rotation, week, others, now):
    request = ask(rotation, week, at=now)
    decline_cover_request(request, by=others[0], at=now)
    with pytest.raises(DomainError, match="already answered"):
        accept_cover_request(request, by=others[0], at=now)


def test_withdrawing_leaves_accepted_parts(rotation, week, others, admin, now):
    request = ask(rotation, week, 10, 20, at=now)
    start = week.starts_at
    accept_cover_request(request, by=others[0], at=now, starts_at=start + 10 * HOUR, ends_at=start + 12 * HOUR)
    with pytest.raises(NotAllowedError):
        cancel_cover_request(request, by=others[1], at=now)
    assert cancel_cover_request(request, by=week.engineer, at=now).state == "cancelled"
    assert on_call(rotation, week, 10, 12) == [others[0].pk, week.engineer_id]


def test_requests_expire_after_two_weeks_or_with_their_time(rotation, weeks, others, now):
    soon, late = ask(rotation, weeks[0], 1, 2, at=now), ask(rotation, weeks[4], 1, 2, at=now)
    assert expire_cover_requests(at=now) == 0
    assert expire_cover_requests(at=soon.expires_at) == 1
    assert [stored(row).state for row in (soon, late)] == ["expired", "pending"]
    assert expire_cover_requests(at=now + 2 * WEEK) == 1
    with pytest.raises(DomainError, match="already expired"):
        accept_cover_request(soon, by=others[0], at=soon.expires_at)
    assert {name for name, _ in sent("cover-request-expired")} == {
        weeks[0].engineer.username,
        weeks[4].engineer.username,
    }


def test_a_request_past_its_expiry_is_closed_before_the_sweep(rotation, week, others, now):
    request = ask(rotation, week, 1, 2, at=now)
    with pytest.raises(DomainError, match="expired"):
        accept_cover_request(request, by=others[0], at=request.expires_at)


# Superseded by other changes


def swap_away(rotation, week, others, admin, now):
    swap = request_swap(
        rotation, proposal=SwapProposal(week.starts_on, counterpart=others[0]), by=week.engineer, at=now
    )
    accept_swap(swap, by=others[0], at=now)


def cover_all(rotation, week, others, admin, now):
    create_cover(rotation, data=CoverData(others[0], week.starts_at, week.ends_at), by=others[0], at=now)


def deactivate_requester(rotation, week, others, admin, now):
    deactivate(week.engineer, by=admin, at=now)


def replace_roster(rotation, week, others, admin, now):
    change_roster(rotation, engineers=others, starts_on=week.starts_on, by=admin, at=now)


def archive(rotation, week, others, admin, now):
    archive_rotation(rotation, by=admin, at=now)


@each("change", [swap_away, cover_all, deactivate_requester, replace_roster, archive])
def test_a_change_that_takes_the_time_supersedes_the_request(rotation, week, others, admin, now, change):
    request = ask(rotation, week, at=now)
    change(rotation, week, others, admin, now)
    row = stored(request)
    assert (row.state, row.reason) == ("void", f"{week.engineer} is no longer on call then.")
    week.engineer.refresh_from_db()
    is_notified = week.engineer.username in {name for name, _ in sent("cover-request-cancelled")}
    assert is_notified == week.engineer.is_active


def test_a_change_of_a_part_leaves_the_rest_open(rotation, week, others, now):
    request = ask(rotation, week, 10, 20, at=now)
    start = week.starts_at
    create_cover(rotation, data=CoverData(others[0], start, start + 15 * HOUR), by=others[0], at=now)
    assert (stored(request).state, open_hours(request, week, at=now)) == ("pending", [(15, 20)])


def test_a_request_to_a_deactivated_engineer_is_superseded(rotation, week, outsider, admin, now):
    request = ask(rotation, week, at=now, counterpart=outsider)
    deactivate(outsider, by=admin, at=now)
    assert (stored(request).state, stored(request).reason) == ("void", "Outsider is no longer active.")


def test_every_change_is_in_the_history(rotation, week, others, now):
    request = ask(rotation, week, at=now)
    accept_cover_request(request, by=others[0], at=now)
    events = CoverRequest.pgh_event_model.objects.filter(pgh_obj_id=request.pk).order_by("pgh_id")
    assert list(events.values_list("pgh_label", "state")) == [("insert", "pending"), ("update", "accepted")]


def test_messages_about_a_closed_request_are_not_sent(rotation, week, others, now):
    request = ask(rotation, week, at=now, counterpart=others[0])
    message = Message.objects.get(type="cover-requested")
    notification = load(message.type, message.context)
    assert notification.is_still_relevant(others[0], now)
    decline_cover_request(request, by=others[0], at=now)
    assert not notification.is_still_relevant(others[0], now)


def test_requests_to_anyone_ask_only_engineers_of_the_rotation(rotation, week, others, outsider, now):
    request = ask(rotation, week, at=now)
    assert cover_requests_to_answer(others[0], at=now) == [request]
    assert [cover_requests_to_answer(person, at=now) for person in (outsider, week.engineer)] == [[], []]


# Pages


def text(answer):
    return answer.content.decode()


def local(instant):
    return f"{instant:%Y-%m-%dT%H:%M}"


def test_from_request_to_accepted_part_on_pages(signed_in, rotation, week, others, now):
    mine, theirs = signed_in(week.engineer), signed_in(others[0])
    path = f"/covers/request/?rotation={rotation.slug}&week={week.starts_on}"
    assert path.replace("&", "&amp;") in text(mine.get("/covers/request/"))
    start = week.starts_at
    page = text(mine.get(path))
    assert f'value="{local(start)}"' in page
    assert [f'value="{person.username}"' in page for person in (week.engineer, *others)] == [
        False,
        *(True for _ in others),
    ]
    answer = mine.post(
        path, {"starts_at": local(start + HOUR), "ends_at": local(start + 9 * HOUR), "message": "Dentist"}
    )
    request = CoverRequest.objects.get()
    assert answer.headers["Location"] == f"/covers/requests/{request.pk}/"
    assert "Withdraw request" in text(mine.get(f"/covers/requests/{request.pk}/"))
    assert f'href="/covers/requests/{request.pk}/"' in text(theirs.get("/"))
    assert "1 request to answer" in text(theirs.get("/"))
    assert f'href="/covers/requests/{request.pk}/"' in text(theirs.get("/swaps/"))
    page = text(theirs.get(f"/covers/requests/{request.pk}/"))
    assert "Accept only a part" in page
    part = {"part": "1", "starts_at": local(start + HOUR), "ends_at": local(start + 3 * HOUR)}
    answer = theirs.post(f"/covers/requests/{request.pk}/accept/", part, follow=True)
    first = format_period(start + HOUR, start + 3 * HOUR, others[0].zone, brief=True)
    assert f"You cover {week.engineer}, {first}. The rest stays open." in text(answer)
    assert on_call(rotation, week, 1, 3) == [others[0].pk, week.engineer_id]
    answer = theirs.post(f"/covers/requests/{request.pk}/accept/", {}, follow=True)
    rest = format_period(start + 3 * HOUR, start + 9 * HOUR, others[0].zone, brief=True)
    assert f"You cover {week.engineer}, {rest}." in text(answer)
    assert stored(request).state == "accepted"
    assert [text(theirs.get(page)).count(f"covering for {week.engineer}") for page in ("/", "/me/")] == [2, 0]
    assert "<h3>Covers</h3>" in text(theirs.get("/me/"))


@pytest.mark.parametrize("is_undone", [False, True])
def test_an_accepted_part_and_its_undo_are_in_the_history(signed_in, rotation, week, others, now, is_undone):
    request, start = ask(rotation, week, 10, 20, at=now), week.starts_at
    browser, path = signed_in(others[0]), f"/covers/requests/{request.pk}/"
    part = {"part": "1", "starts_at": local(start + 10 * HOUR), "ends_at": local(start + 12 * HOUR)}
    page = browser.post(f"{path}accept/", part, follow=True)
    if is_undone:
        answers = re.findall(r'name="undo" value="([^"]+)"', text(page))
        assert browser.post("/undo/", {"undo": html.unescape(answers[0])}).status_code == 302
    *changes, creation = browser.get(path).context["history"]
    cover = f"{others[0]}, {format_period(start + 10 * HOUR, start + 12 * HOUR, others[0].zone)}"
    fields = [("cover", "", cover), ("cover", cover, "")][: 1 + is_undone]
    assert [(change.author, *field) for change in changes for field in map(astuple, change.fields)] == [
        (str(others[0]), *field) for field in fields
    ]
    assert creation.is_creation


def test_the_page_of_a_dragged_period_starts_with_it(signed_in, rotation, week):
    begin, end = week.starts_at + 26 * HOUR, week.starts_at + 50 * HOUR
    path = f"/covers/request/?rotation={rotation.slug}&from={begin:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}"
    page = text(signed_in(week.engineer).get(path))
    assert f'value="{local(begin)}"' in page
    assert f'value="{local(end)}"' in page
    for bad in ("from=x", "from=9999-99-99", "to=0001-01-01T00:00Z", "week=2026-99-99", "from=%00"):
        assert signed_in(week.engineer).get(f"/covers/request/?rotation={rotation.slug}&{bad}").status_code == 200


def test_refused_forms_say_why_and_keep_what_was_typed(signed_in, rotation, week, others, now):
    mine = signed_in(week.engineer)
    path = f"/covers/request/?rotation={rotation.slug}&week={week.starts_on}"
    start = week.starts_at
    answer = mine.post(path, {"starts_at": local(start + 5 * HOUR), "ends_at": local(start), "message": "Dentist"})
    assert (answer.status_code, "The end must be after the start." in text(answer)) == (400, True)
    assert 'value="Dentist"' in text(answer)
    request = ask(rotation, week, 10, 20, at=now)
    theirs = signed_in(others[0])
    part = {"part": "1", "starts_at": local(start + 5 * HOUR), "ends_at": local(start + 12 * HOUR), "reason": "No time"}
    answer = theirs.post(f"/covers/requests/{request.pk}/accept/", part)
    assert (answer.status_code, "The start is before the requested time." in text(answer)) == (400, True)
    assert 'value="No time"' in text(answer)
    create_holiday(others[0], data=HolidayData(start.date(), start.date() + WEEK), by=others[0])
    answer = theirs.post(f"/covers/requests/{request.pk}/accept/", {})
    assert (answer.status_code, "Accept despite this time off" in text(answer)) == (409, True)
    theirs.post(f"/covers/requests/{request.pk}/accept/", {"acknowledge_conflicts": "on"})
    assert stored(request).state == "accepted"


def test_an_admin_answers_on_behalf_on_the_page(signed_in, rotation, week, others, admin, now):
    request = ask(rotation, week, at=now)
    browser = signed_in(admin)
    assert "On behalf of" in text(browser.get(f"/covers/requests/{request.pk}/"))
    browser.post(f"/covers/requests/{request.pk}/decline/", {"engineer": others[0].username})
    assert stored(request).declined_by == [others[0].pk]
    browser.post(f"/covers/requests/{request.pk}/accept/", {"engineer": others[1].username})
    assert stored(request).state == "accepted"


def test_withdrawing_on_the_page(signed_in, rotation, week, others, now):
    request = ask(rotation, week, at=now)
    assert signed_in(others[0]).post(f"/covers/requests/{request.pk}/cancel/").status_code == 403
    answer = signed_in(week.engineer).post(f"/covers/requests/{request.pk}/cancel/", follow=True)
    assert "Request withdrawn: " in text(answer)
    answer = signed_in(others[0]).post(f"/covers/requests/{request.pk}/accept/")
    assert (answer.status_code, "already withdrawn" in text(answer)) == (409, True)


def test_an_engineer_without_shifts_learns_what_to_do(signed_in, rotation, outsider):
    assert "no upcoming on-call shifts" in text(signed_in(outsider).get("/covers/request/"))
    assert signed_in(outsider).get("/covers/request/?rotation=none").status_code == 404


# API


def zulu(instant):
    return f"{instant:%Y-%m-%dT%H:%M:%S}Z"


def test_the_api_requests_and_accepts_in_parts(client, rotation, week, others):
    start = week.starts_at
    asked = {
        "rotation": rotation.slug,
        "starts_at": zulu(start + HOUR),
        "ends_at": zulu(start + 9 * HOUR),
        "message": "Dentist",
    }
    answer = client.post("/api/v1/cover-requests/", asked, JSON, **bearer(week.engineer))
    row = answer.json()
    assert answer.status_code == 201
    assert row | {"created_at": "", "expires_at": ""} == {
        "id": row["id"],
        "rotation": rotation.slug,
        "requester": week.engineer.username,
        "counterpart": None,
        "starts_at": zulu(start + HOUR),
        "ends_at": zulu(start + 9 * HOUR),
        "state": "pending",
        "message": "Dentist",
        "open": [{"starts_at": zulu(start + HOUR), "ends_at": zulu(start + 9 * HOUR)}],
        "accepted": [],
        "reason": "",
        "requested_by": week.engineer.username,
        "decided_by": None,
        "created_at": "",
        "expires_at": "",
        "decided_at": None,
        "reminded_at": None,
    }
    url = f"/api/v1/cover-requests/{row['id']}/"
    part = {"starts_at": zulu(start + HOUR), "ends_at": zulu(start + 3 * HOUR)}
    row = client.post(f"{url}accept/", part, JSON, **bearer(others[0])).json()
    cover = Cover.objects.get()
    assert row["accepted"] == [{"cover": cover.pk, "engineer": others[0].username, **part}]
    assert row["open"] == [{"starts_at": zulu(start + 3 * HOUR), "ends_at": zulu(start + 9 * HOUR)}]
    refused = client.post(f"{url}accept/", part, JSON, **bearer(others[1]))
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Part of that time is already covered. Choose a time that is still open.",
    )
    row = client.post(f"{url}accept/", {}, JSON, **bearer(others[1])).json()
    assert (row["state"], row["open"], row["decided_by"]) == ("accepted", [], others[1].username)
    assert client.get(url, **bearer(week.engineer)).json() == row
    listed = client.get("/api/v1/cover-requests/?state=accepted", **bearer(week.engineer)).json()
    assert (listed["count"], listed["results"]) == (1, [row])


def test_the_api_declines_and_cancels(client, rotation, week, others, now):
    one, other = ask(rotation, week, 1, 2, at=now, counterpart=others[0]), ask(rotation, week, 3, 4, at=now)
    row = client.post(
        f"/api/v1/cover-requests/{one.pk}/decline/", {"reason": "I travel."}, JSON, **bearer(others[0])
    ).json()
    assert (row["state"], row["reason"]) == ("declined", "I travel.")
    assert client.post(f"/api/v1/cover-requests/{other.pk}/cancel/", **bearer(others[0])).status_code == 403
    row = client.post(f"/api/v1/cover-requests/{other.pk}/cancel/", **bearer(week.engineer)).json()
    assert row["state"] == "cancelled"
    assert client.post(f"/api/v1/cover-requests/{other.pk}/cancel/", **bearer(week.engineer)).status_code == 409


def test_the_api_names_wrong_fields(client, rotation, week, others):
    url, key = "/api/v1/cover-requests/", bearer(week.engineer)
    for given, field in (
        ({"rotation": "none", "ends_at": zulu(week.ends_at)}, "rotation"),
        ({"rotation": rotation.slug}, "ends_at"),
        ({"rotation": rotation.slug, "starts_at": "soon", "ends_at": zulu(week.ends_at)}, "starts_at"),
        (
            {
                "rotation": rotation.slug,
                "starts_at": zulu(week.starts_at),
                "ends_at": zulu(week.ends_at),
                "counterpart": "x",
            },
            "counterpart",
        ),
    ):
        answer = client.post(url, given, JSON, **key)
        assert (answer.status_code, list(answer.json())) == (400, [field])
    assert client.get(f"{url}?state=odd", **key).status_code == 400
    assert client.get(f"{url}999/", **key).status_code == 404


# Admin


def test_the_admin_accepts_and_withdraws(signed_in, rotation, week, others, admin, now):
    named, anyone = ask(rotation, week, 1, 2, at=now, counterpart=others[0]), ask(rotation, week, 3, 4, at=now)
    browser = signed_in(admin)
    url = "/admin/scheduling/coverrequest/"
    page = text(browser.post(url, {"action": "accept", "_selected_action": [named.pk, anyone.pk]}, follow=True))
    assert "accepted on behalf of the recipient" in page
    assert "open to anyone" in page
    assert [stored(row).state for row in (named, anyone)] == ["accepted", "pending"]
    page = text(browser.post(url, {"action": "withdraw", "_selected_action": [named.pk, anyone.pk]}, follow=True))
    assert "already accepted" in page
    assert stored(anyone).state == "cancelled"
