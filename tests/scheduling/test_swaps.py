"""Swap requests are created, accepted once, declined, withdrawn, expired and superseded, in services and API."""

import datetime as dt

import pytest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from notifications.models import Message
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.queries.rosters import roster_change
from scheduling.queries.swaps import invalidated_requests
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.offboarding import deactivate
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, expire_swaps, request_swap
from tests.each import each
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

JSON = "application/json"
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    import_example(at=now)
    return Rotation.objects.get()


def upcoming_week(rotation, user, *, number=0, at=None):
    """Return the start date of a user's n-th week that has not started."""
    rows = RotationWeek.objects.filter(rotation=rotation, engineer=user, starts_at__gt=at or timezone.now())
    return rows.order_by("starts_on")[number].starts_on


def engineer_of(rotation, day):
    return RotationWeek.objects.get(rotation=rotation, starts_on=day).engineer


def request(rotation, offered, *, by, at, **asked):
    return request_swap(rotation, proposal=SwapProposal(offered, **asked), by=by, at=at)


def two_way(rotation, one, other, *, at):
    return request(rotation, upcoming_week(rotation, one), by=one, at=at, wanted_week=upcoming_week(rotation, other))


# Requesting


def test_a_two_way_request_goes_to_the_engineer_of_the_wanted_week(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    assert (swap.requester, swap.counterpart, swap.state, swap.kind) == (a, b, "pending", "two_way")
    assert swap.expires_at == min(now + dt.timedelta(days=14), *RotationWeek.objects.filter(starts_on__in=swap.weeks).values_list("starts_at", flat=True))  # fmt: skip


def test_only_the_engineer_or_an_admin_can_offer_a_week(rotation, a, b, admin, now):
    with pytest.raises(NotAllowedError, match="Only Engineer A"):
        request(rotation, upcoming_week(rotation, a), by=b, at=now)
    swap = request(rotation, upcoming_week(rotation, a), by=admin, at=now, counterpart=b)
    assert (swap.requester, swap.requested_by) == (a, admin)


def test_a_started_week_cannot_be_offered_or_wanted(rotation, a, now):
    running = RotationWeek.objects.get(starts_at__lte=now, ends_at__gt=now)
    with pytest.raises(DomainError, match="already started"):
        request(rotation, running.starts_on, by=running.engineer, at=now)
    other = RotationWeek.objects.exclude(engineer=running.engineer).filter(starts_at__gt=now).first()
    with pytest.raises(DomainError, match="already started"):
        request(rotation, other.starts_on, by=other.engineer, at=now, wanted_week=running.starts_on)


def test_wrong_weeks_and_people_are_named_by_field(rotation, a, b, c, now):
    mine, theirs = upcoming_week(rotation, a), upcoming_week(rotation, b)
    for asked, field in (
        ({"offered_week": mine + DAY}, "offered_week"),
        ({"offered_week": mine, "wanted_week": theirs + DAY}, "wanted_week"),
        ({"offered_week": mine, "wanted_week": mine}, "wanted_week"),
        ({"offered_week": mine, "third_week": theirs}, "wanted_week"),
        ({"offered_week": mine, "counterpart": a}, "counterpart"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            request_swap(rotation, proposal=SwapProposal(**asked), by=a, at=now)
        assert list(caught.value.problems) == [field]
    with pytest.raises(DomainError, match="not to Engineer C"):
        request(rotation, mine, by=a, at=now, wanted_week=theirs, counterpart=c)
    assert not SwapRequest.objects.exists()


def test_an_equal_open_request_is_refused(rotation, a, b, now):
    two_way(rotation, a, b, at=now)
    with pytest.raises(DomainError, match="already an open request"):
        two_way(rotation, a, b, at=now)


def test_wanting_a_week_while_absent_needs_confirmation(rotation, a, b, now):
    theirs = upcoming_week(rotation, b)
    create_holiday(a, data=HolidayData(theirs + DAY, theirs + DAY), by=a)
    with pytest.raises(DomainError, match="Engineer A is away") as caught:
        two_way(rotation, a, b, at=now)
    assert caught.value.details["conflicts"] == [
        {"engineer": "engineer-a", "starts_on": str(theirs + DAY), "ends_on": str(theirs + DAY)}
    ]
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now, wanted_week=theirs, acknowledge_conflicts=True)
    assert accept_swap(swap, by=b, at=now).state == "accepted"


# Answering


def test_accepting_exchanges_both_weeks_and_records_who_and_when(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    accepted = accept_swap(swap, by=b, at=now)
    assert (accepted.state, accepted.decided_by, accepted.decided_at) == ("accepted", b, now)
    assert (engineer_of(rotation, swap.offered_week), engineer_of(rotation, swap.wanted_week)) == (b, a)
    assert RotationWeek.objects.get(starts_on=swap.offered_week).planned_engineer == a


def test_the_first_to_accept_a_request_to_anyone_takes_the_week(rotation, a, c, outsider, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now)
    accepted = accept_swap(swap, by=c, at=now)
    assert (accepted.counterpart, engineer_of(rotation, swap.offered_week)) == (c, c)


def test_only_recipients_can_accept_or_decline(rotation, a, b, c, now):
    swap = two_way(rotation, a, b, at=now)
    for person in (a, c):
        for answer in (accept_swap, decline_swap):
            with pytest.raises(NotAllowedError):
                answer(swap, by=person, at=now)


def test_an_admin_answers_on_behalf_and_is_recorded(rotation, a, b, admin, now):
    accepted = accept_swap(two_way(rotation, a, b, at=now), by=admin, at=now)
    assert (accepted.counterpart, accepted.decided_by) == (b, admin)
    open_one = request(rotation, upcoming_week(rotation, b, number=1), by=b, at=now)
    accept_swap(open_one, by=admin, engineer=a, at=now)
    assert engineer_of(rotation, open_one.offered_week) == a
    assert SwapRequest.objects.get(pk=open_one.pk).decided_by == admin


def test_a_swap_is_accepted_only_once(rotation, a, b, c, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now)
    accept_swap(swap, by=b, at=now)
    with pytest.raises(DomainError, match="already accepted"):
        accept_swap(swap, by=c, at=now)
    assert engineer_of(rotation, swap.offered_week) == b


def test_accepting_a_week_while_absent_needs_confirmation(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    create_holiday(b, data=HolidayData(swap.offered_week, swap.offered_week), by=b)
    with pytest.raises(DomainError, match="Engineer B is away"):
        accept_swap(swap, by=b, at=now)
    assert accept_swap(swap, by=b, at=now, acknowledge_conflicts=True).state == "accepted"


def test_the_recipient_cannot_confirm_a_new_absence_of_the_requester(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    create_holiday(a, data=HolidayData(swap.wanted_week, swap.wanted_week, kind="sick"), by=a)
    with pytest.raises(DomainError, match="Engineer A is away") as error:
        accept_swap(swap, by=b, at=now, acknowledge_conflicts=True)
    assert "sick" not in str(error.value)


def test_accepting_voids_the_other_requests_that_touch_either_week(rotation, a, b, c, d, now):
    swap = two_way(rotation, a, b, at=now)
    rivals = [
        request(rotation, swap.offered_week, by=a, at=now),
        request(rotation, upcoming_week(rotation, c), by=c, at=now, wanted_week=swap.wanted_week),
        request(rotation, swap.wanted_week, by=b, at=now, counterpart=d),
    ]
    untouched = request(rotation, upcoming_week(rotation, d), by=d, at=now, counterpart=c)
    accept_swap(swap, by=b, at=now)
    for rival in rivals:
        rival.refresh_from_db()
        assert rival.state == "void"
        assert "now belongs to Engineer" in rival.reason
        with pytest.raises(DomainError, match="already superseded"):
            accept_swap(rival, by=d, at=now)
    untouched.refresh_from_db()
    assert untouched.state == "pending"


def test_declining_stores_the_comment_and_moves_no_week(rotation, a, b, now):
    swap = two_way(rotation, a, b, at=now)
    declined = decline_swap(swap, by=b, at=now, comment="I am at a wedding.")
    assert (declined.state, declined.reason) == ("declined", "I am at a wedding.")
    assert engineer_of(rotation, swap.offered_week) == a


def test_a_request_to_anyone_closes_when_everyone_declined(rotation, a, b, c, d, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now)
    assert [decline_swap(swap, by=person, at=now).state for person in (b, c)] == ["pending", "pending"]
    with pytest.raises(DomainError, match="already answered"):
        decline_swap(swap, by=b, at=now)
    assert decline_swap(swap, by=d, at=now).state == "declined"


def test_only_the_requester_or_an_admin_can_withdraw(rotation, a, b, admin, now):
    swap = two_way(rotation, a, b, at=now)
    with pytest.raises(NotAllowedError):
        cancel_swap(swap, by=b, at=now)
    assert cancel_swap(swap, by=a, at=now).state == "cancelled"
    with pytest.raises(DomainError, match="withdrawn"):
        cancel_swap(swap, by=admin, at=now)


def test_a_request_expires_when_a_week_starts_or_after_14_days(rotation, a, b, c, now):
    soon = two_way(rotation, a, b, at=now)
    late = request(rotation, upcoming_week(rotation, a, number=5), by=a, at=now, counterpart=c)
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


def test_a_request_that_expires_meanwhile_is_not_superseded(rotation, a, b, c, now, monkeypatch):
    day = upcoming_week(rotation, a)
    taken = request(rotation, day, by=a, at=now, counterpart=b)
    late = request(rotation, day, by=a, at=now, counterpart=c)

    def expire_after_reading(*arguments, **options):
        invalid = invalidated_requests(*arguments, **options)
        SwapRequest.objects.filter(pk=late.pk).update(
            state="expired", decided_at=now, reason="Nobody answered in time."
        )
        return invalid

    monkeypatch.setattr("scheduling.services.swaps.invalidated_requests", expire_after_reading)
    accept_swap(taken, by=b, at=now)
    late.refresh_from_db()
    assert (late.state, late.reason) == ("expired", "Nobody answered in time.")
    assert not Message.objects.filter(type="swap-closed", context__swap_id=late.pk).exists()


# Three-way swaps


def test_a_three_way_swap_applies_when_the_second_recipient_accepts(rotation, a, b, c, now):
    weeks = [upcoming_week(rotation, person, number=1) for person in (a, b, c)]
    swap = request(rotation, weeks[0], by=a, at=now, wanted_week=weeks[1], third_week=weeks[2])
    assert (swap.kind, swap.counterpart, swap.third) == ("three_way", b, c)
    first = accept_swap(swap, by=c, at=now)
    assert (first.state, first.accepted_by) == ("pending", [c.pk])
    assert [engineer_of(rotation, week) for week in weeks] == [a, b, c]
    with pytest.raises(DomainError, match="already answered"):
        accept_swap(swap, by=c, at=now)
    assert accept_swap(swap, by=b, at=now).state == "accepted"
    assert [engineer_of(rotation, week) for week in weeks] == [b, c, a]


def test_one_decline_ends_a_three_way_swap(rotation, a, b, c, now):
    weeks = [upcoming_week(rotation, person, number=1) for person in (a, b, c)]
    swap = request(rotation, weeks[0], by=a, at=now, wanted_week=weeks[1], third_week=weeks[2])
    accept_swap(swap, by=b, at=now)
    assert decline_swap(swap, by=c, at=now).state == "declined"
    assert [engineer_of(rotation, week) for week in weeks] == [a, b, c]


# Effects of other changes on swaps


def test_a_new_roster_keeps_possible_swaps_and_voids_the_others_with_a_reason(rotation, a, b, c, d, admin, now):
    stored = two_way(rotation, a, b, at=now)
    accept_swap(stored, by=b, at=now)
    lost = request(rotation, upcoming_week(rotation, c), by=c, at=now, wanted_week=upcoming_week(rotation, d))
    accept_swap(lost, by=d, at=now)
    pending = request(rotation, upcoming_week(rotation, d, number=2), by=d, at=now, counterpart=a)
    plan = dict(RotationWeek.objects.values_list("starts_on", "planned_engineer"))
    first = min(day for day in (*stored.weeks, *lost.weeks))
    order = [next(u for u in (a, b, c, d) if u.pk == plan[first + WEEK * k]) for k in range(4)]
    order[order.index(d)] = admin
    change = roster_change(rotation, engineers=order, starts_on=first)
    assert [swap.pk for swap, _ in change.swaps_lost] == [lost.pk]
    change_roster(rotation, engineers=order, starts_on=first, by=admin, at=now)
    assert (engineer_of(rotation, stored.offered_week), engineer_of(rotation, stored.wanted_week)) == (b, a)
    for swap in (stored, lost, pending):
        swap.refresh_from_db()
    assert (stored.state, lost.state, pending.state) == ("accepted", "void", "void")
    assert "now belongs to" in lost.reason
    assert engineer_of(rotation, lost.offered_week) == c


def test_a_one_way_swap_that_no_longer_fits_a_new_roster_becomes_void(rotation, a, b, c, d, admin, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now, counterpart=b)
    accept_swap(swap, by=b, at=now)
    change_roster(rotation, engineers=[d, c], starts_on=min(_upcoming_dates(rotation, now)), by=admin, at=now)
    swap.refresh_from_db()
    assert swap.state == "void"
    assert engineer_of(rotation, swap.offered_week) in (c, d)


def test_a_one_way_swap_that_still_fits_a_new_roster_stays(rotation, a, b, c, d, admin, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now, counterpart=b)
    accept_swap(swap, by=b, at=now)
    change_roster(rotation, engineers=[a, c, d], starts_on=swap.offered_week, by=admin, at=now)
    swap.refresh_from_db()
    assert swap.state == "accepted"
    assert engineer_of(rotation, swap.offered_week) == b


def test_the_week_of_a_swap_goes_back_to_its_giver_if_the_taker_leaves(rotation, a, outsider, admin, now):
    swap = request(rotation, upcoming_week(rotation, a), by=a, at=now, counterpart=outsider)
    accept_swap(swap, by=outsider, at=now)
    deactivate(outsider, by=admin, at=now)
    swap.refresh_from_db()
    assert (swap.state, swap.reason) == ("void", f"{outsider} is no longer active.")
    assert engineer_of(rotation, swap.offered_week) == a


def test_a_three_way_swap_that_no_longer_fits_a_new_roster_becomes_void(rotation, a, b, c, d, admin, now):
    weeks = [upcoming_week(rotation, person, number=1) for person in (a, b, c)]
    swap = request(rotation, weeks[0], by=a, at=now, wanted_week=weeks[1], third_week=weeks[2])
    accept_swap(swap, by=b, at=now)
    accept_swap(swap, by=c, at=now)
    # Only the third engineer's week goes to somebody else.
    first = min(weeks)
    plan = dict(RotationWeek.objects.values_list("starts_on", "planned_engineer"))
    by_plan = [next(user for user in (a, b, c, d) if user.pk == plan[first + WEEK * number]) for number in range(4)]
    order = [d if user == c else c if user == d else user for user in by_plan]
    change_roster(rotation, engineers=order, starts_on=first, by=admin, at=now)
    swap.refresh_from_db()
    assert swap.state == "void"
    assert [engineer_of(rotation, week) for week in weeks] == [a, b, d]


def _upcoming_dates(rotation, at):
    return list(rotation.weeks.filter(starts_at__gt=at).values_list("starts_on", flat=True))


def test_a_new_roster_keeps_the_rows_of_the_weeks(rotation, a, b, c, d, admin, now):
    before = dict(RotationWeek.objects.values_list("starts_on", "pk"))
    change_roster(rotation, engineers=[d, c, b, a], starts_on=upcoming_week(rotation, b), by=admin, at=now)
    after = dict(RotationWeek.objects.values_list("starts_on", "pk"))
    assert {day: after[day] for day in before} == before


def test_covers_in_a_swapped_week_cover_its_new_engineer(rotation, a, b, c, now):
    swap = two_way(rotation, a, b, at=now)
    week = RotationWeek.objects.get(starts_on=swap.offered_week)
    for engineer, hours in ((c, 10), (b, 40)):
        create_cover(
            rotation,
            data=CoverData(
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


def test_the_api_requests_lists_and_accepts(client, rotation, a, b, now):
    mine, theirs = upcoming_week(rotation, a), upcoming_week(rotation, b)
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


def test_the_api_declines_and_withdraws(client, rotation, a, b):
    row = post(
        client,
        a,
        "swaps/",
        rotation=rotation.slug,
        offered_week=str(upcoming_week(rotation, a)),
        counterpart="engineer-b",
    ).json()
    declined = post(client, b, f"swaps/{row['id']}/decline/", reason="No.").json()
    assert (declined["state"], declined["reason"]) == ("declined", "No.")
    row = post(client, a, "swaps/", rotation=rotation.slug, offered_week=str(upcoming_week(rotation, a))).json()
    assert row["counterpart"] is None
    assert post(client, a, f"swaps/{row['id']}/cancel/").json()["state"] == "cancelled"


@each(
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


def test_another_engineers_week_is_a_403_and_a_wrong_counterpart_a_409(client, rotation, a, b, c):
    mine, theirs = str(upcoming_week(rotation, a)), str(upcoming_week(rotation, b))
    assert post(client, b, "swaps/", rotation=rotation.slug, offered_week=mine).status_code == 403
    answer = post(
        client, a, "swaps/", rotation=rotation.slug, offered_week=mine, wanted_week=theirs, counterpart="engineer-c"
    )
    assert answer.status_code == 409
