"""Swap requests: asked, accepted once, declined, withdrawn, expired, void; through the commands, the API and the browser."""

import datetime as dt

import pytest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from handbook.services import import_handbook
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.queries.rosters import roster_change
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, expire_swaps, request_swap
from tests.factories import bearer

JSON = "application/json"
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def rotation(db, seed, now):
    import_handbook(seed.read_bytes(), at=now)
    return Rotation.objects.get()


def coming(rotation, user, *, number=0, at=None):
    """Return the start date of that user's n-th week that has not begun."""
    rows = RotationWeek.objects.filter(rotation=rotation, engineer=user, starts_at__gt=at or timezone.now())
    return rows.order_by("starts_on")[number].starts_on


def holder(rotation, day):
    return RotationWeek.objects.get(rotation=rotation, starts_on=day).engineer


def ask(rotation, offered, *, by, at, **asked):
    return request_swap(rotation, asked=SwapProposal(offered, **asked), by=by, at=at)


def two_way(rotation, one, other, *, at):
    return ask(rotation, coming(rotation, one), by=one, at=at, wanted_week=coming(rotation, other))


# Asking


def test_a_two_way_request_is_with_who_holds_the_week_asked_for(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    assert (swap.requester, swap.counterpart, swap.state, swap.kind) == (a, b, "pending", "two_way")
    assert swap.expires_at == min(now + dt.timedelta(days=14), *RotationWeek.objects.filter(starts_on__in=swap.weeks).values_list("starts_at", flat=True))  # fmt: skip


def test_only_its_engineer_or_an_admin_offers_a_week(rotation, a, b, admin, now):
    with pytest.raises(NotAllowedError, match="Engineer A’s"):
        ask(rotation, coming(rotation, a), by=b, at=now)
    swap = ask(rotation, coming(rotation, a), by=admin, at=now, counterpart=b)
    assert (swap.requester, swap.asked_by) == (a, admin)


def test_a_week_that_has_begun_cannot_be_offered_nor_asked_for(rotation, a, now):
    running = RotationWeek.objects.get(starts_at__lte=now, ends_at__gt=now)
    with pytest.raises(DomainError, match="already started"):
        ask(rotation, running.starts_on, by=running.engineer, at=now)
    other = RotationWeek.objects.exclude(engineer=running.engineer).filter(starts_at__gt=now).first()
    with pytest.raises(DomainError, match="already started"):
        ask(rotation, other.starts_on, by=other.engineer, at=now, wanted_week=running.starts_on)


def test_wrong_weeks_and_people_are_named_by_field(rotation, a, b, c, now):
    mine, theirs = coming(rotation, a), coming(rotation, b)
    for asked, field in (
        ({"offered_week": mine + DAY}, "offered_week"),
        ({"offered_week": mine, "wanted_week": theirs + DAY}, "wanted_week"),
        ({"offered_week": mine, "wanted_week": mine}, "wanted_week"),
        ({"offered_week": mine, "third_week": theirs}, "wanted_week"),
        ({"offered_week": mine, "counterpart": a}, "counterpart"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            request_swap(rotation, asked=SwapProposal(**asked), by=a, at=now)
        assert list(caught.value.problems) == [field]
    with pytest.raises(DomainError, match="not Engineer C’s"):
        ask(rotation, mine, by=a, at=now, wanted_week=theirs, counterpart=c)
    assert not SwapRequest.objects.exists()


def test_the_same_thing_is_not_asked_twice(rotation, a, b, now):
    two_way(rotation, a, b, at=now)
    with pytest.raises(DomainError, match="asked already"):
        two_way(rotation, a, b, at=now)


def test_an_own_holiday_in_the_week_asked_for_needs_to_be_known(rotation, a, b, now):
    theirs = coming(rotation, b)
    create_holiday(a, dates=HolidayData(theirs + DAY, theirs + DAY), by=a)
    with pytest.raises(DomainError, match="Engineer A is away") as caught:
        two_way(rotation, a, b, at=now)
    assert caught.value.details["conflicts"] == [
        {"engineer": "engineer-a", "starts_on": str(theirs + DAY), "ends_on": str(theirs + DAY)}
    ]
    swap = ask(rotation, coming(rotation, a), by=a, at=now, wanted_week=theirs, acknowledge_conflicts=True)
    assert accept_swap(swap, by=b, at=now).state == "accepted"


# Answering


def test_accepting_exchanges_both_weeks_and_records_who_and_when(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    accepted = accept_swap(swap, by=b, at=now)
    assert (accepted.state, accepted.decided_by, accepted.decided_at) == ("accepted", b, now)
    assert (holder(rotation, swap.offered_week), holder(rotation, swap.wanted_week)) == (b, a)
    assert RotationWeek.objects.get(starts_on=swap.offered_week).planned_engineer == a


def test_a_one_way_request_to_anyone_goes_to_who_takes_it(rotation, a, c, outsider, now):
    swap = ask(rotation, coming(rotation, a), by=a, at=now)
    accepted = accept_swap(swap, by=c, at=now)
    assert (accepted.counterpart, holder(rotation, swap.offered_week)) == (c, c)


def test_who_is_not_asked_cannot_accept_nor_decline_and_nobody_answers_oneself(rotation, a, b, c, now):
    swap = two_way(rotation, a, b, at=now)
    for person in (a, c):
        for answer in (accept_swap, decline_swap):
            with pytest.raises(NotAllowedError):
                answer(swap, by=person, at=now)


def test_an_admin_answers_on_behalf_and_it_is_recorded_as_such(rotation, a, b, admin, now):
    accepted = accept_swap(two_way(rotation, a, b, at=now), by=admin, at=now)
    assert (accepted.counterpart, accepted.decided_by) == (b, admin)
    open_one = ask(rotation, coming(rotation, b, number=1), by=b, at=now)
    accept_swap(open_one, by=admin, engineer=a, at=now)
    assert holder(rotation, open_one.offered_week) == a
    assert SwapRequest.objects.get(pk=open_one.pk).decided_by == admin


def test_a_swap_is_accepted_only_once(rotation, a, b, c, now):
    swap = ask(rotation, coming(rotation, a), by=a, at=now)
    accept_swap(swap, by=b, at=now)
    with pytest.raises(DomainError, match="no longer open: it is accepted"):
        accept_swap(swap, by=c, at=now)
    assert holder(rotation, swap.offered_week) == b


def test_accepting_into_one_s_own_holiday_needs_to_be_said(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    create_holiday(b, dates=HolidayData(swap.offered_week, swap.offered_week), by=b)
    with pytest.raises(DomainError, match="Engineer B is away"):
        accept_swap(swap, by=b, at=now)
    assert accept_swap(swap, by=b, at=now, acknowledge_conflicts=True).state == "accepted"


def test_nobody_accepts_the_requester_s_new_holiday_for_them(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    create_holiday(a, dates=HolidayData(swap.wanted_week, swap.wanted_week), by=a)
    with pytest.raises(DomainError, match="Engineer A is away"):
        accept_swap(swap, by=b, at=now, acknowledge_conflicts=True)


def test_accepting_voids_the_other_requests_that_touch_either_week(rotation, a, b, c, d, now):
    swap = two_way(rotation, a, b, at=now)
    rivals = [
        ask(rotation, swap.offered_week, by=a, at=now),
        ask(rotation, coming(rotation, c), by=c, at=now, wanted_week=swap.wanted_week),
        ask(rotation, swap.wanted_week, by=b, at=now, counterpart=d),
    ]
    untouched = ask(rotation, coming(rotation, d), by=d, at=now, counterpart=c)
    accept_swap(swap, by=b, at=now)
    for rival in rivals:
        rival.refresh_from_db()
        assert rival.state == "void"
        assert "is now Engineer" in rival.reason
        with pytest.raises(DomainError, match="no longer open: it is void"):
            accept_swap(rival, by=d, at=now)
    untouched.refresh_from_db()
    assert untouched.state == "pending"


def test_declining_keeps_the_word_and_changes_nothing(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    declined = decline_swap(swap, by=b, at=now, word="I am at a wedding.")
    assert (declined.state, declined.reason) == ("declined", "I am at a wedding.")
    assert holder(rotation, swap.offered_week) == a


def test_a_request_to_anyone_is_declined_when_nobody_is_left(rotation, a, b, c, d, now):
    swap = ask(rotation, coming(rotation, a), by=a, at=now)
    assert [decline_swap(swap, by=person, at=now).state for person in (b, c)] == ["pending", "pending"]
    with pytest.raises(DomainError, match="answered this already"):
        decline_swap(swap, by=b, at=now)
    assert decline_swap(swap, by=d, at=now).state == "declined"


def test_a_request_is_withdrawn_by_who_made_it_or_an_admin(rotation, a, b, admin, now):
    swap = two_way(rotation, a, b, at=now)
    with pytest.raises(NotAllowedError):
        cancel_swap(swap, by=b, at=now)
    assert cancel_swap(swap, by=a, at=now).state == "cancelled"
    with pytest.raises(DomainError, match="withdrawn"):
        cancel_swap(swap, by=admin, at=now)


def test_a_request_expires_when_a_week_begins_or_after_a_fortnight(rotation, a, b, c, now):
    soon = two_way(rotation, a, b, at=now)
    late = ask(rotation, coming(rotation, a, number=5), by=a, at=now, counterpart=c)
    assert expire_swaps(at=now) == 0
    with pytest.raises(DomainError, match="expired"):
        accept_swap(soon, by=b, at=soon.expires_at)
    assert expire_swaps(at=soon.expires_at) == 1
    assert late.expires_at == now + dt.timedelta(days=14)
    assert expire_swaps(at=late.expires_at) == 1
    assert set(SwapRequest.objects.values_list("state", flat=True)) == {"expired"}


def test_an_inactive_engineer_is_not_put_on_call_by_a_swap(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    type(b).objects.filter(pk=b.pk).update(is_active=False)
    with pytest.raises(DomainError, match="no longer active"):
        accept_swap(swap, by=b, at=now)


# Round three


def test_three_exchange_when_the_last_of_them_agrees(rotation, a, b, c, now):
    weeks = [coming(rotation, person, number=1) for person in (a, b, c)]
    swap = ask(rotation, weeks[0], by=a, at=now, wanted_week=weeks[1], third_week=weeks[2])
    assert (swap.kind, swap.counterpart, swap.third) == ("three_way", b, c)
    first = accept_swap(swap, by=c, at=now)
    assert (first.state, first.agreed) == ("pending", [c.pk])
    assert [holder(rotation, week) for week in weeks] == [a, b, c]
    with pytest.raises(DomainError, match="answered this already"):
        accept_swap(swap, by=c, at=now)
    assert accept_swap(swap, by=b, at=now).state == "accepted"
    assert [holder(rotation, week) for week in weeks] == [b, c, a]


def test_of_three_one_refusal_ends_it(rotation, a, b, c, now):
    weeks = [coming(rotation, person, number=1) for person in (a, b, c)]
    swap = ask(rotation, weeks[0], by=a, at=now, wanted_week=weeks[1], third_week=weeks[2])
    accept_swap(swap, by=b, at=now)
    assert decline_swap(swap, by=c, at=now).state == "declined"
    assert [holder(rotation, week) for week in weeks] == [a, b, c]


# What other changes do to swaps


def test_a_new_roster_keeps_the_swaps_both_can_honour_and_voids_the_others_with_why(rotation, a, b, c, d, admin, now):
    kept = two_way(rotation, a, b, at=now)
    accept_swap(kept, by=b, at=now)
    lost = ask(rotation, coming(rotation, c), by=c, at=now, wanted_week=coming(rotation, d))
    accept_swap(lost, by=d, at=now)
    pending = ask(rotation, coming(rotation, d, number=2), by=d, at=now, counterpart=a)
    plan = dict(RotationWeek.objects.values_list("starts_on", "planned_engineer"))
    first = min(day for day in (*kept.weeks, *lost.weeks))
    order = [next(u for u in (a, b, c, d) if u.pk == plan[first + WEEK * k]) for k in range(4)]
    order[order.index(d)] = admin
    change = roster_change(rotation, engineers=order, starts_on=first)
    assert [swap.pk for swap, _ in change.swaps_lost] == [lost.pk]
    change_roster(rotation, engineers=order, starts_on=first, by=admin, at=now)
    assert (holder(rotation, kept.offered_week), holder(rotation, kept.wanted_week)) == (b, a)
    for swap in (kept, lost, pending):
        swap.refresh_from_db()
    assert (kept.state, lost.state, pending.state) == ("accepted", "void", "void")
    assert "is now" in lost.reason
    assert holder(rotation, lost.offered_week) == c


def test_weeks_keep_their_rows_through_a_change_of_roster(rotation, a, b, c, d, admin, now):
    before = dict(RotationWeek.objects.values_list("starts_on", "pk"))
    change_roster(rotation, engineers=[d, c, b, a], starts_on=coming(rotation, b), by=admin, at=now)
    after = dict(RotationWeek.objects.values_list("starts_on", "pk"))
    assert {day: after[day] for day in before} == before


def test_a_cover_in_a_week_that_changes_hands_stands_for_the_new_engineer(rotation, a, b, c, now):
    swap = two_way(rotation, a, b, at=now)
    week = RotationWeek.objects.get(starts_on=swap.offered_week)
    for engineer, hours in ((c, 10), (b, 40)):
        create_cover(
            rotation,
            span=CoverData(
                engineer, week.starts_at + dt.timedelta(hours=hours), week.starts_at + dt.timedelta(hours=hours + 5)
            ),
            by=a,
            at=now,
        )
    accept_swap(swap, by=b, at=now)
    assert [(row.engineer, row.covered_engineer) for row in Cover.objects.all()] == [(c, b)]


# Through the API


def post(client, user, path, **data):
    return client.post(f"/api/v1/{path}", data, content_type=JSON, **bearer(user))


def test_a_script_asks_lists_and_accepts(client, rotation, a, b, now):
    mine, theirs = coming(rotation, a), coming(rotation, b)
    answer = post(
        client, a, "swaps/", rotation=rotation.slug, offered_week=str(mine), wanted_week=str(theirs), message="wedding"
    )
    assert answer.status_code == 201
    row = answer.json()
    assert {key: row[key] for key in ("rotation", "offered_week", "wanted_week", "requester", "counterpart", "state", "message", "decided_at", "kind")} == {
        "rotation": "weekly-rotation", "offered_week": str(mine), "wanted_week": str(theirs), "requester": "engineer-a",
        "counterpart": "engineer-b", "state": "pending", "message": "wedding", "decided_at": None, "kind": "two_way",
    }  # fmt: skip
    assert client.get("/api/v1/swaps/?state=pending", **bearer(b)).json()["results"] == [row]
    assert post(client, a, f"swaps/{row['id']}/accept/").status_code == 403
    accepted = post(client, b, f"swaps/{row['id']}/accept/").json()
    assert (accepted["state"], accepted["decided_by"]) == ("accepted", "engineer-b")
    again = post(client, b, f"swaps/{row['id']}/accept/")
    assert (again.status_code, again.json()["state"]) == (409, "accepted")
    weeks = client.get(f"/api/v1/rotations/{rotation.slug}/weeks/", **bearer(a)).json()["results"]
    assert {week["starts_on"]: week["engineer"] for week in weeks if week["swapped"]} == {
        str(mine): "engineer-b",
        str(theirs): "engineer-a",
    }


def test_a_script_declines_and_withdraws(client, rotation, a, b):
    row = post(
        client, a, "swaps/", rotation=rotation.slug, offered_week=str(coming(rotation, a)), counterpart="engineer-b"
    ).json()
    declined = post(client, b, f"swaps/{row['id']}/decline/", reason="No.").json()
    assert (declined["state"], declined["reason"]) == ("declined", "No.")
    row = post(client, a, "swaps/", rotation=rotation.slug, offered_week=str(coming(rotation, a))).json()
    assert row["counterpart"] is None
    assert post(client, a, f"swaps/{row['id']}/cancel/").json()["state"] == "cancelled"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "offered_week"),
        ({"offered_week": "tomorrow"}, "offered_week"),
        ({"offered_week": "2026-02-30"}, "offered_week"),
        ({"offered_week": "1999-01-04"}, "offered_week"),
        ({"offered_week": 7}, "offered_week"),
        ({"offered_week": "2026-12-07", "counterpart": "nobody"}, "counterpart"),
        ({"offered_week": "2026-12-07", "counterpart": "a\0"}, "counterpart"),
        ({"offered_week": "2026-12-07", "message": "x" * 501}, "message"),
        ({"offered_week": "2026-12-07", "rotation": "nothing"}, "rotation"),
        ({"offered_week": "2026-12-07", "acknowledge_conflicts": "perhaps"}, "acknowledge_conflicts"),
    ],
)
def test_a_wrong_request_is_a_400_by_field(client, rotation, a, given, field):
    answer = post(client, a, "swaps/", **{"rotation": rotation.slug, **given})
    assert answer.status_code == 400
    assert field in answer.json()
    assert not SwapRequest.objects.exists()


def test_another_s_week_is_a_403_and_another_s_holder_a_409(client, rotation, a, b, c):
    mine, theirs = str(coming(rotation, a)), str(coming(rotation, b))
    assert post(client, b, "swaps/", rotation=rotation.slug, offered_week=mine).status_code == 403
    answer = post(
        client, a, "swaps/", rotation=rotation.slug, offered_week=mine, wanted_week=theirs, counterpart="engineer-c"
    )
    assert answer.status_code == 409
