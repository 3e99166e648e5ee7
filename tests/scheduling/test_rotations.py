"""Several rotations are created, changed and archived by admins."""

import datetime as dt
import itertools

import pytest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.queries.on_call import on_call_shifts, responder_chains
from scheduling.queries.weeks import weeks_between
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.offboarding import deactivate
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import archive_rotation, create_rotation, join_rotation, update_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import ensure_weeks
from scheduling.tasks import ensure_weeks as ensure_weeks_task
from tests.each import each
from tests.factories import bearer, current_monday, import_example

# A Wednesday of Engineer A's week, which ends on Monday the 30th at 10:00 UTC; Engineer B's is next, then C's and D's.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
MONDAY = dt.date(2026, 11, 30)
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def rotation(db):
    import_example(at=AT, starting=dt.date(2026, 11, 23))
    return Rotation.objects.get()


def on_call(rotation, at=AT):
    return on_call_shifts([rotation], at=at)[0].engineer


def weeks(rotation):
    rows = list(RotationWeek.objects.filter(rotation=rotation))
    assert all(before.ends_at == after.starts_at for before, after in itertools.pairwise(rows))
    return rows


def test_an_admin_creates_a_second_rotation(rotation, a, b, c, admin):
    second = create_rotation(
        name="Platform rotation",
        engineers=[c, a],
        by=admin,
        at=AT,
        time_zone="Europe/Berlin",
        handoff_weekday=2,
        handoff_time=dt.time(9),
    )
    assert (second.slug, on_call(second)) == ("platform-rotation", c.person)
    first, following = weeks(second)[:2]
    assert (first.starts_on, first.starts_at) == (dt.date(2026, 11, 25), dt.datetime(2026, 11, 25, 8, tzinfo=dt.UTC))
    assert (following.engineer, following.starts_on.weekday()) == (a, 2)
    assert weeks(second)[-1].ends_at > AT + 26 * WEEK
    assert on_call(rotation) == a.person
    later = create_rotation(name="Later", engineers=[b], by=admin, at=AT, starts_on=dt.date(2026, 12, 7))
    assert (on_call(later), on_call(later, AT + 2 * WEEK)) == (None, b.person)


@each(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "weekly  ROTATION"}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"handoff_weekday": 7}, "handoff_weekday"),
        ({"engineers": []}, "engineers"),
        ({"starts_on": dt.date(2026, 11, 16)}, "starts_on"),
        ({"starts_on": dt.date(2026, 12, 1)}, "starts_on"),
    ],
)
def test_a_wrong_rotation_is_refused_by_field(rotation, a, admin, changes, field):
    with pytest.raises(InvalidInputError) as caught:
        create_rotation(**{"name": "New", "engineers": [a], **changes}, by=admin, at=AT)
    assert list(caught.value.problems) == [field]
    assert Rotation.objects.count() == 1


def test_only_admins_create_change_and_archive(rotation, a):
    for call in (
        lambda: create_rotation(name="New", engineers=[a], by=a, at=AT),
        lambda: update_rotation(rotation, name="New", by=a, at=AT),
        lambda: archive_rotation(rotation, by=a, at=AT),
    ):
        with pytest.raises(NotAllowedError):
            call()


@each(("weekday", "starts_on"), [(2, "2026-12-02"), (3, "2026-12-03"), (4, "2026-11-27"), (6, "2026-11-29"), (1, "2026-12-01")])  # fmt: skip
def test_another_weekday_moves_upcoming_weeks_and_keeps_their_engineers(
    rotation, a, b, c, d, admin, weekday, starts_on
):
    keys = [(week.pk, week.engineer_id) for week in weeks(rotation)]
    change_roster(rotation, engineers=[d, c, b, a], starts_on=MONDAY + 8 * WEEK, by=admin, at=AT)
    keys = [(week.pk, week.engineer_id) for week in weeks(rotation)]
    assert update_rotation(rotation, handoff_weekday=weekday, by=admin, at=AT) == ["handoff_weekday"]
    rows = weeks(rotation)
    assert [(week.pk, week.engineer_id) for week in rows] == keys
    assert (rows[0].starts_on, rows[0].ends_at) == (dt.date(2026, 11, 23), rows[1].starts_at)
    assert rows[1].starts_on == dt.date.fromisoformat(starts_on)
    assert {week.starts_on.weekday() for week in rows[1:]} == {weekday}
    assert on_call(rotation) == a.person
    # Weeks that are stored later continue the rosters without a seam.
    before = rows[-1].engineer_id
    assert ensure_weeks(rotation, today=AT.date() + 4 * WEEK) >= 3
    order = [d.pk, c.pk, b.pk, a.pk]
    assert weeks(rotation)[len(rows)].engineer_id == order[(order.index(before) + 1) % 4]


def test_a_weekday_never_moves_a_hand_off_into_the_past(rotation, a, admin):
    # On Friday afternoon, Friday 10:00 is over: the next hand-off is a week later, and A stays on call.
    at = dt.datetime(2026, 11, 27, 15, tzinfo=dt.UTC)
    update_rotation(rotation, handoff_weekday=4, by=admin, at=at)
    assert weeks(rotation)[1].starts_on == dt.date(2026, 12, 4)
    assert on_call(rotation, at) == a.person


def test_swaps_and_covers_follow_a_new_weekday(rotation, a, b, c, d, admin):
    swap = request_swap(rotation, proposal=SwapProposal(MONDAY, MONDAY + WEEK), by=b, at=AT)
    accept_swap(swap, by=c, at=AT)
    pending = request_swap(rotation, proposal=SwapProposal(MONDAY + 2 * WEEK), by=d, at=AT)
    tuesday = dt.datetime(2026, 12, 1, 12, tzinfo=dt.UTC)
    create_cover(rotation, data=CoverData(d, tuesday, tuesday + HOUR), by=d, at=AT)
    update_rotation(rotation, handoff_weekday=2, by=admin, at=AT)
    swap.refresh_from_db()
    pending.refresh_from_db()
    assert swap.weeks == (MONDAY + 2 * DAY, MONDAY + 2 * DAY + WEEK)
    assert (pending.state, pending.offered_week) == ("pending", MONDAY + 2 * DAY + 2 * WEEK)
    assert [week.engineer for week in weeks(rotation)[1:3]] == [c, b]
    # Tuesday now belongs to Engineer A's extended week.
    assert [(row.engineer, row.covered_engineer) for row in Cover.objects.all()] == [(d, a)]
    change_roster(rotation, engineers=[b, c, d, a], starts_on=MONDAY + 2 * DAY, by=admin, at=AT)
    swap.refresh_from_db()
    assert swap.state == "accepted"


def test_a_renamed_rotation_keeps_its_slug_and_refuses_a_taken_name(rotation, a, admin):
    second = create_rotation(name="Second", engineers=[a], by=admin, at=AT)
    assert update_rotation(second, name="Platform", description="Text", by=admin, at=AT) == ["name", "description"]
    assert (second.name, second.slug) == ("Platform", "second")
    with pytest.raises(InvalidInputError, match="already has this name"):
        update_rotation(second, name=rotation.name, by=admin, at=AT)
    with pytest.raises(InvalidInputError, match="time_zone"):
        update_rotation(second, time_zone="Mars", by=admin, at=AT)
    second.refresh_from_db()
    assert (second.name, second.time_zone) == ("Platform", "UTC")


def test_an_archived_rotation_has_a_past_and_no_future(client, rotation, a, b, c, admin):
    pipeline = Pipeline.objects.first()
    swap = request_swap(rotation, proposal=SwapProposal(MONDAY), by=b, at=AT)
    create_cover(rotation, data=CoverData(c, AT - HOUR / 60, AT + HOUR), by=c, at=AT)
    archive_rotation(rotation, by=admin, at=AT + HOUR / 2)
    swap.refresh_from_db()
    assert swap.state == "void"
    assert [week.ends_at for week in weeks(rotation)] == [AT + HOUR / 2]
    assert (on_call(rotation), on_call(rotation, AT + HOUR / 2), on_call(rotation, AT + WEEK)) == (c.person, None, None)
    assert len(weeks_between(rotation, first=MONDAY - WEEK, last=MONDAY + 9 * WEEK)) == 1
    chain = responder_chains([pipeline], at=AT + HOUR)[pipeline.pk]
    assert {link.role for link in chain.links} == {"primary_owner", "secondary_owner"}
    for at, count in ((AT, 1), (AT + WEEK, 0)):
        rows = client.get("/api/v1/oncall/", {"at": at.isoformat()}, **bearer(a)).json()["results"]
        assert len(rows) == count
    ensure_weeks_task()
    assert len(weeks(rotation)) == 1
    for call in (
        lambda: archive_rotation(rotation, by=admin, at=AT + HOUR),
        lambda: update_rotation(rotation, name="New", by=admin, at=AT + HOUR),
        lambda: change_roster(rotation, engineers=[a], starts_on=MONDAY, by=admin, at=AT + HOUR),
    ):
        with pytest.raises(DomainError, match="is archived"):
            call()


def test_archiving_frees_engineers_names_and_pipelines(rotation, a, b, c, d, admin):
    archive_rotation(rotation, by=admin, at=AT)
    second = create_rotation(name=rotation.name, engineers=[a, b], by=admin, at=AT)
    assert second.slug != rotation.slug
    assert len(join_rotation(second, pipelines=Pipeline.objects.all())) == 5
    for leaver in (c, d):
        deactivate(leaver, by=admin, at=AT)
    assert not SwapRequest.objects.exists()


def test_the_preview_of_a_roster_refuses_what_saving_refuses(client, rotation, admin, d):
    monday = current_monday(timezone.now()) + dt.timedelta(weeks=2)
    rosters = [
        {"starts_on": monday + dt.timedelta(days=1), "engineers": ["engineer-a"]},
        {"starts_on": monday - dt.timedelta(weeks=3), "engineers": ["engineer-a"]},
        {"starts_on": monday, "engineers": ["engineer-a", "engineer-a"]},
        {"starts_on": monday, "engineers": ["engineer-d"]},
    ]
    User.objects.filter(pk=d.pk).update(is_active=False)
    headers, path = {"content_type": "application/json", **bearer(admin)}, f"/api/v1/rotations/{rotation.slug}/roster/"
    for roster in rosters:
        saved, preview = client.post(path, roster, **headers), client.post(f"{path}preview/", roster, **headers)
        assert saved.status_code in (400, 409)
        assert (preview.status_code, preview.json()) == (saved.status_code, saved.json())
