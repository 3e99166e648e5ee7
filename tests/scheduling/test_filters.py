"""Filters of the scheduling lists: known values narrow the list, unknown ones are a 400 that names the parameter."""

import datetime as dt

import pytest
from django.utils import timezone

from scheduling.models import Rotation
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, request_swap
from tests.each import each
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

DAY = dt.timedelta(days=1)


@pytest.fixture
def rotation(db):
    import_example(at=this_minute())
    return Rotation.objects.get()


@pytest.fixture
def rows(client, rotation, a):
    """Return a function that lists an endpoint with a query."""

    def get(path, **query):
        response = client.get(f"/api/v1/{path}/", query, **bearer(a))
        assert response.status_code == 200, response.content
        return response.json()["results"]

    return get


def test_time_off_is_filtered_by_engineer_kind_and_dates(rows, a, b):
    create_holiday(a, data=HolidayData(dt.date(2027, 3, 1), dt.date(2027, 3, 5)), by=a)
    create_holiday(b, data=HolidayData(dt.date(2027, 3, 8), dt.date(2027, 3, 9), kind="sick"), by=b)
    assert [row["starts_on"] for row in rows("holidays", engineer="engineer-a")] == ["2027-03-01"]
    assert [row["starts_on"] for row in rows("holidays", kind="holiday")] == ["2027-03-01"]
    assert [row["starts_on"] for row in rows("holidays", **{"from": "2027-03-05"})] == ["2027-03-01", "2027-03-08"]
    assert [row["starts_on"] for row in rows("holidays", **{"from": "2027-03-06"})] == ["2027-03-08"]
    assert [row["starts_on"] for row in rows("holidays", to="2027-03-07")] == ["2027-03-01"]


def test_a_kind_that_colleagues_do_not_see_is_not_revealed_by_a_filter(rows, client, admin, a, b):
    for person, day, kind in ((a, 1, "sick"), (a, 2, "other"), (b, 3, "sick"), (b, 4, "other"), (b, 5, "training")):
        date = dt.date(2027, 3, day)
        create_holiday(person, data=HolidayData(date, date, kind=kind), by=person)

    def days_and_kinds(answer):
        return [(int(row["starts_on"][-2:]), row["kind"]) for row in answer]

    everything = [(1, "sick"), (2, "other"), (3, "other"), (4, "other"), (5, "training")]
    assert days_and_kinds(rows("holidays")) == everything
    assert days_and_kinds(rows("holidays", kind="sick")) == [(1, "sick")]
    assert days_and_kinds(rows("holidays", kind="other")) == [(2, "other"), (3, "other"), (4, "other")]
    assert days_and_kinds(rows("holidays", kind="training")) == [(5, "training")]
    answer = client.get("/api/v1/holidays/", {"kind": "sick"}, **bearer(admin)).json()["results"]
    assert days_and_kinds(answer) == [(1, "sick"), (3, "sick")]


def test_covers_are_filtered_by_rotation_and_both_engineers(rows, rotation, admin, a, b, c, d):
    week = rotation.weeks.filter(starts_at__gt=timezone.now()).select_related("engineer").first()
    taker = next(person for person in (a, b, c, d) if person != week.engineer)
    span = CoverData(taker, week.starts_at + DAY, week.starts_at + 2 * DAY)
    cover = create_cover(rotation, data=span, by=admin, at=timezone.now())
    assert [row["id"] for row in rows("covers", rotation=rotation.slug, engineer=taker.username)] == [cover.pk]
    assert [row["id"] for row in rows("covers", covers=week.engineer.username)] == [cover.pk]
    assert rows("covers", covers=taker.username) == []


def test_swaps_are_filtered_by_state_rotation_and_people(rows, rotation):
    week = rotation.weeks.filter(starts_at__gt=timezone.now()).select_related("engineer").first()
    swap = request_swap(rotation, proposal=SwapProposal(week.starts_on), by=week.engineer, at=timezone.now())
    assert [row["id"] for row in rows("swaps", state="pending", rotation=rotation.slug)] == [swap.pk]
    assert [row["id"] for row in rows("swaps", requester=week.engineer.username)] == [swap.pk]
    assert rows("swaps", state="accepted") == []


@each("value", ["nothing", "\0", "1e9", "’"])
@each(
    ("path", "name"),
    [
        ("holidays", "engineer"),
        ("holidays", "kind"),
        ("holidays", "from"),
        ("holidays", "to"),
        ("covers", "rotation"),
        ("covers", "engineer"),
        ("covers", "covers"),
        ("swaps", "state"),
        ("swaps", "rotation"),
        ("swaps", "requester"),
        ("swaps", "counterpart"),
    ],
)
def test_an_unknown_value_is_a_400_that_names_the_filter(client, rotation, a, path, name, value):
    response = client.get(f"/api/v1/{path}/", {name: value}, **bearer(a))
    assert (response.status_code, list(response.json())) == (400, [name])


def test_the_description_declares_the_answers_of_time_off(client, rotation, a):
    paths = client.get("/api/v1/schema/", **bearer(a)).json()["paths"]
    preview = paths["/api/v1/holidays/preview/"]["post"]
    reference = preview["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == "#/components/schemas/HolidayImpact"
    created = paths["/api/v1/holidays/"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]["$ref"]
    assert created == "#/components/schemas/NewHoliday"
