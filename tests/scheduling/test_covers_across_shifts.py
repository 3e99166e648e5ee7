"""A cover may span a shift boundary: it is stored in parts, and created, shown, swapped and ended as one."""

import datetime as dt

import pytest

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from scheduling.models import Cover, Rotation
from scheduling.queries.on_call import on_call_shifts, rotation_timeline
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.offboarding import deactivate
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import update_hours
from tests.factories import bearer, import_example

# A Wednesday of Engineer A's week, which ends on Monday the 30th at 10:00 UTC; Engineer B's is next, then C's and D's.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
MONDAY = dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEEK = dt.timedelta(weeks=1)


@pytest.fixture
def rotation(db):
    import_example(at=AT, starting=dt.date(2026, 11, 23))
    return Rotation.objects.get()


def cover_around_monday(rotation, engineer, *, by, hours=24):
    data = CoverData(engineer, MONDAY - hours * HOUR, MONDAY + hours * HOUR, "moving house")
    return create_cover(rotation, data=data, by=by, at=AT)


def parts():
    """Return (engineer, covered engineer, start, end) in hours from Monday's hand-off; equal neighbours are joined."""
    joined = []
    for row in Cover.objects.select_related("engineer", "covered_engineer").order_by("starts_at"):
        people = (row.engineer, row.covered_engineer)
        begin, end = (row.starts_at - MONDAY) / HOUR, (row.ends_at - MONDAY) / HOUR
        if joined and joined[-1][:2] == people and joined[-1][3] == begin:
            begin = joined.pop()[2]
        joined.append((*people, begin, end))
    return joined


def on_call(rotation, *hours):
    return [on_call_shifts([rotation], at=MONDAY + hour * HOUR)[0].engineer for hour in hours]


def test_a_cover_across_a_hand_off_covers_both_engineers(rotation, a, b, c):
    cover_around_monday(rotation, c, by=c)
    assert parts() == [(c, a, -24, 0), (c, b, 0, 24)]
    assert on_call(rotation, -25, -24, -1, 0, 23, 24) == [a.person, c.person, c.person, c.person, c.person, b.person]
    intervals = rotation_timeline(rotation, starts_at=MONDAY - WEEK, ends_at=MONDAY + WEEK)
    assert [(part.engineer, part.because) for part in intervals] == [
        (a.person, "week"),
        (c.person, "cover"),
        (b.person, "week"),
    ]


def test_ending_a_cover_ends_all_its_parts(rotation, a, b, c):
    end_cover(cover_around_monday(rotation, c, by=c), by=c, at=AT)
    assert parts() == []


def test_ending_an_active_cover_keeps_its_past_and_ends_later_parts(rotation, a, b, c):
    cover = cover_around_monday(rotation, c, by=c)
    end_cover(cover, by=c, at=MONDAY - HOUR)
    assert parts() == [(c, a, -24, -1)]


def test_a_covered_engineer_ends_only_their_own_part(rotation, a, b, c):
    cover = cover_around_monday(rotation, c, by=c)
    end_cover(cover, by=a, at=AT)
    assert parts() == [(c, b, 0, 24)]


def test_time_in_which_the_engineer_is_on_call_anyway_is_left_out(rotation, a, b):
    cover_around_monday(rotation, b, by=b)
    assert parts() == [(b, a, -24, 0)]
    with pytest.raises(InvalidInputError, match="already on call"):
        create_cover(rotation, data=CoverData(b, MONDAY, MONDAY + HOUR), by=b, at=AT)


def test_only_an_admin_gives_away_the_time_of_several_engineers(rotation, a, b, c, admin):
    with pytest.raises(NotAllowedError):
        cover_around_monday(rotation, c, by=a)
    assert parts() == []
    cover_around_monday(rotation, c, by=admin)
    assert len(parts()) == 2


def test_a_cover_across_a_cover_and_a_hand_off_replaces_its_part(rotation, a, b, c, d):
    create_cover(rotation, data=CoverData(d, MONDAY - 30 * HOUR, MONDAY - 10 * HOUR), by=d, at=AT)
    cover = cover_around_monday(rotation, c, by=c)
    expected = [(d, a, -30, -24), (c, d, -24, -10), (c, a, -10, 0), (c, b, 0, 24)]
    assert parts() == expected
    end_cover(cover, by=c, at=AT)
    assert on_call(rotation, -30, -24, -11, -10, 0) == [d.person, d.person, d.person, a.person, b.person]


def test_swapping_the_second_week_moves_only_its_part(rotation, a, b, c, d):
    cover_around_monday(rotation, c, by=c)
    swap = request_swap(rotation, proposal=SwapProposal(MONDAY.date(), counterpart=d), by=b, at=AT)
    accept_swap(swap, by=d, at=AT)
    assert parts() == [(c, a, -24, 0), (c, d, 0, 24)]


def test_a_swap_to_the_covering_engineer_removes_only_their_own_part(rotation, a, b, c):
    cover_around_monday(rotation, c, by=c)
    swap = request_swap(rotation, proposal=SwapProposal(MONDAY.date(), counterpart=c), by=b, at=AT)
    accept_swap(swap, by=c, at=AT)
    assert parts() == [(c, a, -24, 0)]
    assert on_call(rotation, -1, 0, 30) == [c.person] * 3


@pytest.mark.parametrize(("hour", "boundary"), [(14, 4), (6, -4)])
def test_another_hour_moves_the_boundary_inside_covers(rotation, a, b, c, hour, boundary):
    cover_around_monday(rotation, c, by=c)
    create_cover(rotation, data=CoverData(c, MONDAY + WEEK - 2 * HOUR, MONDAY + WEEK - HOUR), by=c, at=AT)
    update_hours(rotation, at=AT, handoff_time=dt.time(hour))
    assert parts()[:2] == [(c, a, -24, boundary), (c, b, boundary, 24)]
    # The last cover now lies in Engineer C's own week if the week starts earlier.
    assert parts()[2:] == ([(c, b, 166, 167)] if hour == 14 else [])


def test_a_second_leaver_leaves_nobody_inactive_on_call(rotation, a, b, c, d, admin):
    deactivate(a, by=admin, at=AT)
    [first] = on_call_shifts([rotation], at=AT)
    deactivate({b.person: b, c.person: c, d.person: d}[first.engineer], by=admin, at=AT + HOUR)
    assert on_call_shifts([rotation], at=AT + HOUR)[0].available


def test_a_cover_for_an_inactive_engineer_cannot_end(rotation, a, admin):
    deactivate(a, by=admin, at=AT)
    with pytest.raises(DomainError, match="no longer active"):
        end_cover(Cover.objects.get(), by=admin, at=AT + HOUR)
    assert on_call_shifts([rotation], at=AT + HOUR)[0].available


def test_the_api_creates_shows_and_ends_a_cover_across_a_hand_off(client, rotation, a, b, c, monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)

    def call(method, path, **data):
        return getattr(client, method)(f"/api/v1/{path}", data or None, content_type="application/json", **bearer(c))

    week = rotation.weeks.select_related("engineer").filter(starts_at__gt=AT)[3]
    begin, end = week.starts_at - 24 * HOUR, week.starts_at + 24 * HOUR
    answer = call(
        "post", "covers/", rotation=rotation.slug, engineer="engineer-c", starts_at=str(begin), ends_at=str(end)
    )
    assert answer.status_code == 201, answer.content
    assert dt.datetime.fromisoformat(answer.json()["starts_at"]) >= begin
    for at in (week.starts_at - HOUR, week.starts_at, week.starts_at + HOUR):
        [row] = client.get("/api/v1/oncall/", {"at": at.isoformat()}, **bearer(a)).json()["results"]
        assert row["engineer"] == "engineer-c"
    assert call("delete", f"covers/{answer.json()['id']}/").status_code == 204
    assert not Cover.objects.exists()
