"""Undoing an accepted or declined swap or cover request: what returns, who is notified, and what prevents it."""

import datetime as dt
import threading
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import Q

from common.exceptions import DomainError, NotAllowedError
from common.formatting import format_day
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from people.models import User
from pipelines.queries import row_history
from scheduling.models import Cover, Rotation, SwapRequest
from scheduling.services.answers import record_answer, undo_cover_answer, undo_swap_answer
from scheduling.services.cover_requests import (
    CoverProposal,
    accept_cover_request,
    cancel_cover_request,
    decline_cover_request,
    request_cover,
)
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.offboarding import deactivate
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, request_swap
from tests.databases import is_lock_awaited
from tests.each import each
from tests.factories import import_started_example
from tests.snapshots import this_minute
from tests.waiting import wait_until

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    return import_started_example(at=now)


@pytest.fixture
def weeks(rotation, now):
    """The weeks that begin in a week or later, in order: four engineers in turn."""
    rows = rotation.weeks.filter(starts_at__gt=now).select_related("engineer").order_by("starts_on")
    return list(rows[1:])


@pytest.fixture
def swap(rotation, weeks, now):
    """A request to swap the first week for the second."""
    proposal = SwapProposal(weeks[0].starts_on, weeks[1].starts_on)
    return request_swap(rotation, proposal=proposal, by=weeks[0].engineer, at=now)


def answer_swap(service, swap, *, by, at, **fields):
    return record_answer(swap, partial(service, swap, by=by, at=at, **fields))[1]


def ask(rotation, week, begin=0, end=10, *, at, counterpart=None):
    proposal = CoverProposal(week.starts_at + begin * HOUR, week.starts_at + end * HOUR, counterpart, "Dentist")
    return request_cover(rotation, proposal=proposal, by=week.engineer, at=at)


def answer_cover(service, request, *, by, at, **fields):
    return record_answer(request, partial(service, request, by=by, at=at, **fields))[1]


def schedule(rotation):
    covers = rotation.covers.order_by("starts_at").values_list(
        "pk", "engineer", "covered_engineer", "starts_at", "ends_at", "reason", "series", "request"
    )
    return list(rotation.weeks.order_by("starts_on").values_list("starts_on", "engineer")), list(covers)


def stored(request):
    fields = ("state", "counterpart", "decided_by", "decided_at", "reason", "declined_by")
    return type(request).objects.values_list(*fields).get(pk=request.pk)


def message_recipients(name):
    return sorted(Message.objects.filter(type=name).values_list("recipient__username", flat=True))


def usernames(*people):
    return sorted(person.username for person in people)


def test_an_accepted_swap_is_undone_with_its_covers(rotation, weeks, swap, now, admin):
    first, second, third = weeks[:3]
    # The taker's cover in the week they take ends with the swap; the other one then covers the taker.
    create_cover(rotation, data=CoverData(second.engineer, first.starts_at, first.starts_at + HOUR), by=admin, at=now)
    data = CoverData(third.engineer, first.starts_at + HOUR, first.starts_at + 2 * HOUR, "Exam")
    create_cover(rotation, data=data, by=admin, at=now)
    before, open_request = schedule(rotation), stored(swap)
    answer = answer_swap(accept_swap, swap, by=second.engineer, at=now)
    assert [row[1] for row in schedule(rotation)[1]] == [third.engineer.pk]
    undo_swap_answer(answer, by=second.engineer, at=now + MINUTE)
    assert (schedule(rotation), stored(swap)) == (before, open_request)
    assert message_recipients("swap-reopened") == usernames(first.engineer, second.engineer, admin)
    message = Message.objects.filter(type="swap-reopened").first()
    week = format_day(first.starts_on)
    assert message.subject == f"Swap request reopened: {first.engineer}’s week of {week}"
    assert f"{second.engineer} undid the swap." in message.text
    assert f"{first.engineer} is on call in the week of {week} again." in message.text


def test_the_history_shows_the_acceptance_and_the_undo(rotation, weeks, swap, now):
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    changes = [(one.old, one.new) for change in row_history(swap, fields=("state",)) for one in change.fields]
    assert changes[:2] == [("Accepted", "Open"), ("Open", "Accepted")]


def test_a_request_to_anyone_is_open_to_everyone_again(rotation, weeks, now):
    swap = request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=weeks[0].engineer, at=now)
    decline_swap(swap, by=weeks[2].engineer, at=now)
    before = stored(swap)
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert stored(swap) == before
    assert before[1] is None
    accept_swap(swap, by=weeks[3].engineer, at=now + 2 * MINUTE)


def test_it_can_be_accepted_again_and_everyone_is_notified_again(rotation, weeks, swap, now, admin):
    for _ in range(2):
        answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
        now += MINUTE
        undo_swap_answer(answer, by=weeks[1].engineer, at=now)
        now += MINUTE
    people = usernames(weeks[0].engineer, weeks[1].engineer, admin)
    assert message_recipients("swap-accepted") == sorted(people * 2)
    assert message_recipients("swap-reopened") == sorted(people * 2)
    for _ in range(2):
        answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
        now += MINUTE
        undo_swap_answer(answer, by=weeks[1].engineer, at=now)
        now += MINUTE
    assert message_recipients("swap-closed") == sorted(usernames(weeks[0].engineer, weeks[1].engineer) * 2)


def waiting_messages(*, at):
    """Return the type and the first line of each message that would still be sent."""
    rows = Message.objects.filter(Q(type__startswith="swap-") | Q(type__startswith="cover-request-")).order_by("pk")
    return sorted({(row.type, row.text.split("\n")[0]) for row in rows if is_still_relevant(row, at=at)})


def test_a_message_that_waits_reports_only_the_last_answer_to_a_swap(rotation, weeks, now):
    first, second, third = (week.engineer for week in weeks[:3])
    swap = request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=first, at=now)
    answer = answer_swap(accept_swap, swap, by=second, at=now)
    undo_swap_answer(answer, by=second, at=now + MINUTE)
    reopened = ("swap-reopened", f"{second} undid the swap.")
    assert reopened in waiting_messages(at=now)
    assert "swap-accepted" not in dict(waiting_messages(at=now))
    accept_swap(swap, by=third, at=now + 2 * MINUTE)
    week = format_day(weeks[0].starts_on)
    assert waiting_messages(at=now) == [("swap-accepted", f"{third} is on call in the week of {week}.")]


def test_a_message_that_waits_does_not_report_a_decline_that_was_undone(rotation, weeks, swap, now):
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    accept_swap(swap, by=weeks[1].engineer, at=now + 2 * MINUTE)
    assert [kind for kind, _ in waiting_messages(at=now)] == ["swap-accepted"]
    taker = weeks[3].engineer
    request = ask(rotation, weeks[2], at=now, counterpart=taker)
    answer = answer_cover(decline_cover_request, request, by=taker, at=now)
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert [kind for kind, _ in waiting_messages(at=now)] == ["cover-request-reopened", "swap-accepted"]
    accept_cover_request(request, by=taker, at=now + 2 * MINUTE)
    assert [kind for kind, _ in waiting_messages(at=now)] == ["cover-request-accepted", "swap-accepted"]


def test_requests_that_the_swap_superseded_are_open_again(rotation, weeks, swap, now):
    other = request_swap(
        rotation, proposal=SwapProposal(weeks[1].starts_on, weeks[2].starts_on), by=weeks[1].engineer, at=now
    )
    cover = ask(rotation, weeks[1], at=now, counterpart=weeks[3].engineer)
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    assert [stored(row)[0] for row in (other, cover)] == ["void", "void"]
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert [stored(row)[0] for row in (swap, other, cover)] == ["pending"] * 3
    assert message_recipients("swap-reminder") == usernames(weeks[2].engineer)
    assert message_recipients("cover-reminder") == usernames(weeks[3].engineer)


def test_nobody_is_reminded_of_a_superseded_request_that_has_expired(rotation, weeks, swap, now):
    proposal = SwapProposal(weeks[1].starts_on, weeks[2].starts_on)
    other = request_swap(rotation, proposal=proposal, by=weeks[1].engineer, at=now)
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    SwapRequest.objects.filter(pk=other.pk).update(expires_at=now + MINUTE)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert message_recipients("swap-reminder") == []


def three_way(rotation, weeks, now):
    first, second, third = weeks[:3]
    proposal = SwapProposal(first.starts_on, second.starts_on, third_week=third.starts_on)
    return request_swap(rotation, proposal=proposal, by=first.engineer, at=now)


def test_the_first_of_two_acceptances_is_undone(rotation, weeks, now):
    swap = three_way(rotation, weeks, now)
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert SwapRequest.objects.get().accepted_by == []
    assert message_recipients("swap-reopened") == []
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    accept_swap(swap, by=weeks[2].engineer, at=now)
    with pytest.raises(DomainError, match=r"^This request is already accepted\.$"):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)


def test_the_last_of_two_acceptances_is_undone_and_the_first_one_stays(rotation, weeks, now):
    swap, before = three_way(rotation, weeks, now), schedule(rotation)
    accept_swap(swap, by=weeks[2].engineer, at=now)
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    assert schedule(rotation) != before
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert schedule(rotation) == before
    assert SwapRequest.objects.get().accepted_by == [weeks[2].engineer.pk]


def swap_on(rotation, weeks, now, admin):
    taker = weeks[1].engineer
    later = SwapProposal(weeks[0].starts_on, counterpart=weeks[2].engineer)
    accept_swap(request_swap(rotation, proposal=later, by=taker, at=now), by=weeks[2].engineer, at=now)
    return f"The week of {format_day(weeks[0].starts_on)} now belongs to {weeks[2].engineer}."


def cover_a_part(rotation, weeks, now, admin):
    start = weeks[0].starts_at
    create_cover(rotation, data=CoverData(weeks[2].engineer, start, start + HOUR), by=admin, at=now)
    return "A cover in one of these weeks has since been changed."


def change_the_roster(rotation, weeks, now, admin):
    people = [weeks[1].engineer, weeks[2].engineer, weeks[3].engineer, weeks[0].engineer]
    change_roster(rotation, engineers=people, starts_on=weeks[0].starts_on, by=admin, at=now)
    return (
        f"This request is already superseded. The week of {format_day(weeks[0].starts_on)} now belongs to {people[0]}."
    )


def start_the_week(rotation, weeks, now, admin):
    rotation.weeks.filter(starts_at__lt=weeks[0].starts_at).delete()
    rotation.weeks.filter(starts_on=weeks[0].starts_on).update(starts_at=now)
    return f"The week of {format_day(weeks[0].starts_on)} has already started."


def move_the_handoff(rotation, weeks, now, admin):
    rotation.weeks.filter(starts_on=weeks[0].starts_on).update(starts_at=weeks[0].starts_at + HOUR)
    return f"The schedule of {rotation} has since been changed."


def let_the_requester_leave(rotation, weeks, now, admin):
    User.objects.filter(pk=weeks[0].engineer.pk).update(is_active=False)
    return f"{weeks[0].engineer} is no longer active."


CHANGES = [swap_on, cover_a_part, change_the_roster, start_the_week, move_the_handoff, let_the_requester_leave]


@each("change", CHANGES)
def test_a_swap_is_not_undone_if_something_depends_on_it(change, rotation, weeks, swap, now, admin):
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    reason = change(rotation, weeks, now, admin)
    before = (schedule(rotation), stored(swap))
    with pytest.raises(DomainError) as error:
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert str(error.value) == reason
    assert (schedule(rotation), stored(swap)) == before
    assert message_recipients("swap-reopened") == []


def test_only_the_engineer_or_an_admin_undoes_an_answer(rotation, weeks, swap, now, admin):
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    with pytest.raises(NotAllowedError, match="Only the engineer who answered or an admin can undo the answer"):
        undo_swap_answer(answer, by=weeks[0].engineer, at=now)
    undo_swap_answer(answer, by=admin, at=now)
    assert f"{admin} undid the swap." in Message.objects.filter(type="swap-reopened").first().text


def test_a_declined_swap_is_open_again(rotation, weeks, swap, now):
    before = stored(swap)
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now, comment="A wedding.")
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert stored(swap) == before
    assert message_recipients("swap-reopened") == usernames(weeks[0].engineer, weeks[1].engineer)
    assert "undid the decline." in Message.objects.filter(type="swap-reopened").first().text
    with pytest.raises(DomainError, match=r"^This request is already open\.$"):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)


def test_a_decline_of_a_request_to_anyone_is_undone_quietly(rotation, weeks, now):
    swap = request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=weeks[0].engineer, at=now)
    before = stored(swap)
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
    undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert stored(swap) == before
    assert message_recipients("swap-reopened") == []
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
    cancel_swap(swap, by=weeks[0].engineer, at=now)
    with pytest.raises(DomainError, match=r"^This request is already withdrawn\.$"):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)


def test_a_declined_swap_stays_closed_if_it_is_no_longer_possible(rotation, weeks, swap, now):
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
    given = request_swap(
        rotation,
        proposal=SwapProposal(weeks[0].starts_on, counterpart=weeks[2].engineer),
        by=weeks[0].engineer,
        at=now,
    )
    accept_swap(given, by=weeks[2].engineer, at=now)
    with pytest.raises(DomainError, match=f"now belongs to {weeks[2].engineer}"):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert stored(swap)[0] == "declined"


def test_a_declined_swap_stays_closed_if_it_was_requested_again(rotation, weeks, swap, now):
    answer = answer_swap(decline_swap, swap, by=weeks[1].engineer, at=now)
    proposal = SwapProposal(weeks[0].starts_on, weeks[1].starts_on)
    request_swap(rotation, proposal=proposal, by=weeks[0].engineer, at=now)
    with pytest.raises(DomainError, match="already an open request for this swap"):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)


def test_an_accepted_cover_is_undone(rotation, weeks, now):
    week, taker = weeks[0], weeks[1].engineer
    request = ask(rotation, week, at=now, counterpart=taker)
    before, open_request = schedule(rotation), stored(request)
    answer = answer_cover(accept_cover_request, request, by=taker, at=now)
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert (schedule(rotation), stored(request)) == (before, open_request)
    assert message_recipients("cover-request-reopened") == usernames(week.engineer, taker)
    message = Message.objects.filter(type="cover-request-reopened").first()
    assert f"{taker} undid the acceptance of this request." in message.text
    assert f"{taker} no longer covers {week.engineer} from " in message.text
    with pytest.raises(DomainError, match=r"^This cover has since been changed or ended\.$"):
        undo_cover_answer(answer, by=taker, at=now + MINUTE)


def test_a_part_is_undone_after_another_engineer_took_the_rest(rotation, weeks, now):
    week, taker, other = weeks[0], weeks[1].engineer, weeks[2].engineer
    request = ask(rotation, week, at=now)
    half = week.starts_at + 5 * HOUR
    answer = answer_cover(accept_cover_request, request, by=taker, at=now, ends_at=half)
    accept_cover_request(request, by=other, at=now)
    assert stored(request)[0] == "accepted"
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert stored(request)[0] == "pending"
    assert list(rotation.covers.values_list("engineer", "starts_at")) == [(other.pk, half)]


def test_a_cover_that_the_acceptance_cut_is_whole_again(rotation, weeks, now, admin):
    week, requester, taker = weeks[0], weeks[1].engineer, weeks[2].engineer
    data = CoverData(requester, week.starts_at, week.starts_at + 20 * HOUR, "Exam")
    create_cover(rotation, data=data, by=admin, at=now)
    proposal = CoverProposal(week.starts_at + 5 * HOUR, week.starts_at + 10 * HOUR, taker)
    request = request_cover(rotation, proposal=proposal, by=requester, at=now)
    before = schedule(rotation)
    answer = answer_cover(accept_cover_request, request, by=taker, at=now)
    assert rotation.covers.count() == 3
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert schedule(rotation) == before


def test_a_running_cover_keeps_its_past(rotation, now):
    week = rotation.weeks.select_related("engineer").get(starts_at__lte=now, ends_at__gt=now + MINUTE)
    taker = User.objects.exclude(pk=week.engineer.pk).filter(weeks__rotation=rotation).first()
    proposal = CoverProposal(now, week.ends_at, taker)
    request = request_cover(rotation, proposal=proposal, by=week.engineer, at=now)
    answer = answer_cover(accept_cover_request, request, by=taker, at=now)
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert list(rotation.covers.values_list("engineer", "starts_at", "ends_at")) == [(taker.pk, now, now + MINUTE)]
    assert stored(request)[0] == "pending"


def end_the_cover(rotation, request, now):
    end_cover(Cover.objects.get(request=request), by=request.requester, at=now)
    return "This cover has since been changed or ended."


def cover_the_cover(rotation, request, now):
    engineer = User.objects.filter(weeks__rotation=rotation).exclude(pk=request.requester_id).last()
    cover = Cover.objects.get(request=request)
    data = CoverData(engineer, cover.starts_at, cover.starts_at + HOUR)
    create_cover(rotation, data=data, by=User.objects.get(display_name="Admin"), at=now)
    return "This cover has since been changed or ended."


def withdraw_the_rest(rotation, request, now):
    cancel_cover_request(request, by=request.requester, at=now)
    return "This request is already withdrawn."


def leave(rotation, request, now):
    User.objects.filter(pk=request.requester_id).update(is_active=False)
    return f"{request.requester} is no longer active."


@each("change", [end_the_cover, cover_the_cover, withdraw_the_rest, leave])
def test_an_accepted_cover_is_not_undone_if_something_depends_on_it(change, rotation, weeks, now, admin):
    taker = weeks[1].engineer
    request = ask(rotation, weeks[0], at=now)
    answer = answer_cover(accept_cover_request, request, by=taker, at=now, ends_at=weeks[0].starts_at + 5 * HOUR)
    reason = change(rotation, request, now)
    before = (schedule(rotation), stored(request))
    with pytest.raises(DomainError) as error:
        undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert str(error.value) == reason
    assert (schedule(rotation), stored(request)) == before


def test_a_request_for_the_covered_time_ends_with_the_cover(rotation, weeks, now):
    taker = weeks[1].engineer
    request = ask(rotation, weeks[0], at=now, counterpart=taker)
    answer = answer_cover(accept_cover_request, request, by=taker, at=now)
    proposal = CoverProposal(request.starts_at, request.ends_at, weeks[2].engineer)
    passed_on = request_cover(rotation, proposal=proposal, by=taker, at=now)
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert stored(passed_on)[0] == "void"


def test_a_declined_cover_request_is_open_again(rotation, weeks, now):
    taker = weeks[1].engineer
    request = ask(rotation, weeks[0], at=now, counterpart=taker)
    before = stored(request)
    answer = answer_cover(decline_cover_request, request, by=taker, at=now, comment="A wedding.")
    undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert stored(request) == before
    assert message_recipients("cover-request-reopened") == usernames(weeks[0].engineer, taker)
    answer = answer_cover(decline_cover_request, request, by=taker, at=now)
    ask(rotation, weeks[0], 5, 15, at=now)
    with pytest.raises(DomainError, match="already"):
        undo_cover_answer(answer, by=taker, at=now + MINUTE)


def test_a_declined_cover_request_stays_closed_once_the_requester_is_not_on_call(rotation, weeks, now, admin):
    week, taker = weeks[0], weeks[1].engineer
    request = ask(rotation, week, at=now, counterpart=taker)
    answer = answer_cover(decline_cover_request, request, by=taker, at=now)
    data = CoverData(weeks[2].engineer, week.starts_at, week.starts_at + 10 * HOUR)
    create_cover(rotation, data=data, by=admin, at=now)
    with pytest.raises(DomainError, match=f"{week.engineer} is no longer on call then"):
        undo_cover_answer(answer, by=taker, at=now + MINUTE)
    assert stored(request)[0] == "declined"


def test_a_declined_cover_request_stays_closed_once_its_recipient_has_left(rotation, weeks, now, admin):
    taker = weeks[1].engineer
    request = ask(rotation, weeks[0], at=now, counterpart=taker)
    answer = answer_cover(decline_cover_request, request, by=admin, at=now, engineer=taker)
    deactivate(taker, by=admin, at=now)
    with pytest.raises(DomainError, match=f"{taker} is no longer active"):
        undo_cover_answer(answer, by=admin, at=now + MINUTE)
    assert stored(request)[0] == "declined"
    assert message_recipients("cover-request-reopened") == []


def test_an_engineer_who_left_takes_no_week_back(rotation, weeks, swap, now, admin):
    answer = answer_swap(accept_swap, swap, by=weeks[1].engineer, at=now)
    deactivate(weeks[0].engineer, by=admin, at=now)
    before = schedule(rotation)
    with pytest.raises(DomainError):
        undo_swap_answer(answer, by=weeks[1].engineer, at=now + MINUTE)
    assert schedule(rotation) == before


@pytest.mark.django_db(transaction=True)
def test_of_two_undos_at_once_one_happens(rotation, weeks, swap, now):
    taker, before = weeks[1].engineer, schedule(rotation)
    answer = answer_swap(accept_swap, swap, by=taker, at=now)
    outcomes = []

    def undo():
        try:
            outcomes.append(undo_swap_answer(answer, by=taker, at=now + MINUTE).state)
        except DomainError as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=undo) for _ in range(2)]
    with transaction.atomic():
        Rotation.objects.select_for_update().get()
        for thread in threads:
            thread.start()
        wait_until(partial(is_lock_awaited, 2))
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["This request is already open.", "pending"]
    assert schedule(rotation) == before
    assert message_recipients("swap-reopened") == usernames(weeks[0].engineer, taker)
