"""Covers are created, replaced and ended early; deactivated engineers are released."""

import datetime as dt
import itertools

import pytest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.queries.on_call import on_call_shifts
from scheduling.queries.rosters import newest_roster, roster_engineers
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.offboarding import deactivate, reactivate, reassign_inactive
from scheduling.services.rosters import change_roster
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.each import each
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

JSON = "application/json"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def now():
    return this_minute()


@pytest.fixture
def rotation(db, now):
    # The current week started in the past week.
    import_example(at=now, starting=(now - dt.timedelta(days=7 + now.weekday())).date())
    return Rotation.objects.get()


@pytest.fixture
def running(rotation, now):
    return RotationWeek.objects.get(starts_at__lte=now, ends_at__gt=now)


@pytest.fixture
def week(rotation, now):
    """The next week, which has not started at any hour of the test."""
    return RotationWeek.objects.filter(starts_at__gt=now).select_related("engineer").first()


@pytest.fixture
def others(week, a, b, c, d):
    return [person for person in (a, b, c, d) if person != week.engineer]


def cover(rotation, week, engineer, begin, end, *, by, at, **options):
    span = CoverData(engineer, week.starts_at + HOUR * begin, week.starts_at + HOUR * end)
    return create_cover(rotation, data=span, by=by, at=at, **options)


def on_call(rotation, week, hour):
    at = week.starts_at + HOUR * hour
    return on_call_shifts([rotation], at=at)[0].engineer


def test_a_cover_puts_its_engineer_on_call_for_its_period_only(rotation, week, others, now):
    created = cover(rotation, week, others[0], 10, 20, by=others[0], at=now)
    assert (created.covered_engineer, created.created_by) == (week.engineer, others[0])
    assert [on_call(rotation, week, hour) for hour in (9, 10, 19, 20)] == [
        week.engineer.person,
        others[0].person,
        others[0].person,
        week.engineer.person,
    ]


def test_engineers_give_away_only_their_own_time_and_admins_any(rotation, week, others, admin, now):
    one, other, _ = others
    assert cover(rotation, week, one, 0, 5, by=week.engineer, at=now).engineer == one
    with pytest.raises(NotAllowedError):
        cover(rotation, week, one, 10, 15, by=other, at=now)
    assert cover(rotation, week, one, 10, 15, by=admin, at=now).engineer == one


def test_a_cover_of_a_cover_replaces_its_part(rotation, week, others, now):
    one, other, _ = others
    cover(rotation, week, one, 10, 20, by=one, at=now)
    created = cover(rotation, week, other, 12, 14, by=other, at=now)
    assert created.covered_engineer == one
    assert [on_call(rotation, week, hour) for hour in (9, 11, 13, 15, 21)] == [
        week.engineer.person, one.person, other.person, one.person, week.engineer.person,
    ]  # fmt: skip
    assert Cover.objects.count() == 3


@pytest.mark.parametrize(("begin", "end", "left"), [(10, 20, 0), (10, 12, 1), (18, 20, 1)])
def test_a_cover_at_the_edge_of_a_cover_leaves_no_empty_rest(rotation, week, others, now, begin, end, left):
    one, other, _ = others
    cover(rotation, week, one, 10, 20, by=one, at=now)
    cover(rotation, week, other, begin, end, by=other, at=now)
    assert Cover.objects.filter(engineer=one).count() == left


def test_a_cover_cancelled_before_it_starts_is_deleted(rotation, week, others, now):
    created = cover(rotation, week, others[0], 10, 20, by=others[0], at=now)
    with pytest.raises(NotAllowedError):
        end_cover(created, by=others[1], at=now)
    end_cover(created, by=week.engineer, at=now)
    assert not Cover.objects.exists()
    with pytest.raises(DomainError, match="over"):
        end_cover(created, by=week.engineer, at=now)


def test_ending_an_active_cover_keeps_its_past(rotation, week, others, now):
    created = cover(rotation, week, others[0], 10, 20, by=others[0], at=now)
    at = week.starts_at + HOUR * 15
    end_cover(created, by=others[0], at=at)
    row = Cover.objects.get()
    assert (row.starts_at, row.ends_at) == (week.starts_at + HOUR * 10, at)


def test_an_ended_cover_of_a_cover_returns_to_the_first_coverer(rotation, week, others, now):
    one, other, _ = others
    cover(rotation, week, one, 10, 20, by=one, at=now)
    created = cover(rotation, week, other, 12, 18, by=other, at=now)
    end_cover(created, by=other, at=week.starts_at + HOUR * 15)
    assert [on_call(rotation, week, hour) for hour in (11, 13, 16, 19, 21)] == [
        one.person, other.person, one.person, one.person, week.engineer.person,
    ]  # fmt: skip


def test_an_impossible_cover_is_refused_by_field(rotation, week, others, now):
    one = others[0]
    for begin, end, engineer, field in (
        (-400, 5, one, "starts_at"),
        (10, 10, one, "ends_at"),
        (10, 60_000, one, "ends_at"),
        (10, 20, week.engineer, "engineer"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            cover(rotation, week, engineer, begin, end, by=engineer, at=now)
        assert list(caught.value.problems) == [field]
    type(one).objects.filter(pk=one.pk).update(is_active=False)
    with pytest.raises(InvalidInputError, match="inactive"):
        cover(rotation, week, one, 10, 20, by=week.engineer, at=now)
    assert not Cover.objects.exists()


def test_covering_while_absent_needs_confirmation(rotation, week, others, now):
    one = others[0]
    create_holiday(one, data=HolidayData(week.starts_on, week.starts_on), by=one)
    with pytest.raises(DomainError, match="away"):
        cover(rotation, week, one, 0, 5, by=one, at=now)
    assert cover(rotation, week, one, 0, 5, by=one, at=now, acknowledge_conflicts=True).pk


def test_the_api_creates_lists_and_ends_covers(client, rotation, running, a, b, c, d):
    other = next(person for person in (a, b, c, d) if person != running.engineer)
    until = timezone.now() + dt.timedelta(minutes=20)
    if until > running.ends_at:
        until = running.ends_at
    given = {"rotation": rotation.slug, "ends_at": until.isoformat(), "reason": "train"}
    answer = client.post("/api/v1/covers/", given, content_type=JSON, **bearer(other))
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["engineer"], row["covers"], row["reason"]) == (other.username, running.engineer.username, "train")
    assert client.get("/api/v1/covers/", **bearer(a)).json()["results"] == [row]
    on_call_now = client.get("/api/v1/oncall/", **bearer(a)).json()["results"][0]
    assert (on_call_now["engineer"], on_call_now["covering"]) == (other.username, True)
    assert client.delete(f"/api/v1/covers/{row['id']}/", **bearer(other)).status_code == 204
    on_call_now = client.get("/api/v1/oncall/", **bearer(a)).json()["results"][0]
    assert on_call_now["engineer"] == running.engineer.username
    assert client.delete(f"/api/v1/covers/{row['id']}/", **bearer(other)).status_code in (404, 409)


@each(
    ("given", "field"),
    [
        ({}, "ends_at"),
        ({"ends_at": "tonight"}, "ends_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"ends_at": "0001-01-01T00:00:00+14:00"}, "ends_at"),
        ({"ends_at": "2030-01-01T00:00:00Z", "engineer": "nobody"}, "engineer"),
        ({"ends_at": "2030-01-01T00:00:00Z", "reason": "x" * 201}, "reason"),
        ({"ends_at": "2030-01-01T00:00:00Z", "starts_at": "1969-01-01T00:00:00Z"}, "starts_at"),
    ],
)
def test_a_wrong_cover_is_a_400_by_field(client, rotation, b, given, field):
    answer = client.post("/api/v1/covers/", {"rotation": rotation.slug, **given}, content_type=JSON, **bearer(b))
    assert answer.status_code == 400, answer.content
    assert list(answer.json()) == [field]


# Deactivation


def check_weeks(rotation):
    weeks = list(RotationWeek.objects.filter(rotation=rotation))
    assert all(one.ends_at == two.starts_at for one, two in itertools.pairwise(weeks))
    return weeks


def test_a_deactivated_engineer_is_on_call_for_nothing(rotation, running, admin, a, b, c, d, now):
    leaver = running.engineer
    deactivate(leaver, by=admin, at=now)
    weeks = check_weeks(rotation)
    assert not [week for week in weeks if week.engineer_id == leaver.pk and week.starts_at > now]
    turn = on_call_shifts([rotation], at=now)[0]
    assert turn.covering
    assert turn.engineer != leaver.person
    assert turn.available
    assert [week.engineer_id for week in weeks if week.starts_at <= now][-1] == leaver.pk


def test_the_roster_keeps_its_order_without_a_deactivated_engineer(rotation, admin, a, b, c, d, now):
    coming = list(RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_on"))
    order = [week.engineer_id for week in coming[:4]]
    leaver = coming[1].engineer
    deactivate(leaver, by=admin, at=now)
    after = list(
        RotationWeek.objects.filter(starts_at__gt=now).order_by("starts_on").values_list("engineer", flat=True)
    )
    assert after[:6] == [key for key in order if key != leaver.pk] * 2


def test_deactivating_ends_swaps_and_covers_and_returns_the_weeks(rotation, admin, a, b, c, d, now):
    coming = list(RotationWeek.objects.filter(starts_at__gt=now).select_related("engineer").order_by("starts_on"))
    one, leaver = coming[0].engineer, coming[1].engineer
    created = request_swap(rotation, proposal=SwapProposal(coming[0].starts_on, coming[1].starts_on), by=one, at=now)
    accept_swap(created, by=leaver, at=now)
    open_one = request_swap(rotation, proposal=SwapProposal(coming[4].starts_on, counterpart=leaver), by=one, at=now)
    third = coming[2].engineer
    create_cover(rotation, data=CoverData(leaver, coming[2].starts_at, coming[2].ends_at), by=leaver, at=now)
    deactivate(leaver, by=admin, at=now)
    created.refresh_from_db()
    open_one.refresh_from_db()
    assert (created.state, open_one.state) == ("void", "void")
    assert "no longer active" in open_one.reason
    assert RotationWeek.objects.get(pk=coming[0].pk).engineer == one
    assert not Cover.objects.filter(engineer=leaver, ends_at__gt=now).exists()
    assert third != leaver


def test_the_only_engineer_of_a_roster_cannot_be_deactivated(rotation, admin, a, now):
    starts_on = RotationWeek.objects.filter(starts_at__gt=now).first().starts_on
    change_roster(rotation, engineers=[a], starts_on=starts_on, by=admin, at=now)
    with pytest.raises(DomainError, match="only engineer on the roster"):
        deactivate(a, by=admin, at=now)
    a.refresh_from_db()
    assert a.is_active


def test_without_a_roster_the_on_call_engineer_cannot_be_deactivated(rotation, running, admin, now):
    rotation.rosters.all().delete()
    with pytest.raises(DomainError, match="Nobody on the roster of"):
        deactivate(running.engineer, by=admin, at=now)
    running.engineer.refresh_from_db()
    assert running.engineer.is_active


def test_only_another_admin_can_deactivate(rotation, admin, a, b, now):
    with pytest.raises(NotAllowedError):
        deactivate(a, by=b, at=now)
    with pytest.raises(DomainError, match="yourself"):
        deactivate(admin, by=admin, at=now)


def test_a_reactivated_engineer_is_on_no_roster(rotation, admin, a, now):
    deactivate(a, by=admin, at=now)
    reactivate(a, by=admin)
    a.refresh_from_db()
    assert a.is_active
    assert a not in roster_engineers(newest_roster(rotation))


def test_unticking_active_in_the_admin_deactivates(signed_in, rotation, admin, a, now):
    fields = {
        "username": a.username, "display_name": a.display_name, "email": "", "colour": a.colour, "time_zone": "UTC",
        "country": "", "subdivision": "",
    }  # fmt: skip
    answer = signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", fields)
    assert answer.status_code == 302
    a.refresh_from_db()
    assert not a.is_active
    assert not RotationWeek.objects.filter(engineer=a, starts_at__gt=timezone.now()).exists()
    signed_in(admin).post(f"/admin/people/user/{a.pk}/change/", {**fields, "is_active": "on", "display_name": "Anna"})
    a.refresh_from_db()
    assert (a.is_active, a.display_name) == (True, "Anna")


def test_deactivating_through_the_api_ends_token_and_session(client, signed_in, rotation, admin, a, b):
    browser, token = signed_in(a), bearer(a)
    assert client.post("/api/v1/people/engineer-b/deactivate/", **bearer(a)).status_code == 403
    answer = client.post("/api/v1/people/engineer-a/deactivate/", **bearer(admin))
    assert (answer.status_code, answer.json()["active"]) == (200, False)
    assert client.get("/api/v1/oncall/", **token).status_code == 401
    assert browser.get("/").status_code == 302
    assert client.post("/api/v1/people/engineer-a/reactivate/", **bearer(admin)).json()["active"] is True


def test_an_engineer_made_inactive_in_the_database_is_released(rotation, admin, a, now):
    type(a).objects.filter(pk=a.pk).update(is_active=False)
    assert reassign_inactive(at=now) == 1
    assert not RotationWeek.objects.filter(engineer=a, starts_at__gt=now).exists()
    assert reassign_inactive(at=now) == 0
    assert not SwapRequest.objects.exists()
