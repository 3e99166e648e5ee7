"""Rotations, weeks, time off and responders: in the database, through the API, in the browser, in the admin."""

import datetime as dt
import itertools

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Cover, CoverageGap, HolidayBlock, PipelineRotation, RosterMember, Rotation, RotationWeek
from scheduling.queries.coverage_gaps import OwnedPipeline, without_available_owner
from scheduling.queries.impact import holiday_impact
from scheduling.queries.on_call import possibly_uncovered, responder_chains
from scheduling.queries.rosters import newest_roster, roster_change
from scheduling.queries.weeks import Shift, first_rotations, next_shifts
from scheduling.queries.workloads import rotation_workloads
from scheduling.services.coverage_gaps import sync_coverage_gaps
from scheduling.services.holidays import HolidayData, build_holiday, create_holiday, delete_holiday, update_holiday
from scheduling.services.rosters import change_roster, set_roster
from scheduling.services.weeks import ensure_weeks, update_hours
from tests.each import each
from tests.factories import bearer, import_example, make_engineer, make_pipeline

JSON = "application/json"
# A Wednesday of the first week, which began on Monday the 23rd at 10:00 UTC and is Engineer A's.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
SLUG = "daily-growth-experiment-focused"
RESPONDER = f"/api/v1/pipelines/{SLUG}/responder/"


def day(text):
    return dt.date.fromisoformat(text)


def instant(text):
    return dt.datetime.fromisoformat(text)


@pytest.fixture(autouse=True)
def _clock_stands_at_that_wednesday(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: AT)


@pytest.fixture
def rotation(db):
    import_example(at=AT, starting=day("2026-11-23"))
    return Rotation.objects.get()


@pytest.fixture
def pipeline(rotation):
    return Pipeline.objects.get(slug=SLUG)


def away(user, first, last, **fields):
    return create_holiday(user, data=HolidayData(day(first), day(last), **fields), by=user)


def chain(pipeline, at=AT):
    return responder_chains([pipeline], at=at)[pipeline.pk]


def cover(rotation, *, by, of, starts, ends):
    return Cover.objects.create(
        rotation=rotation,
        engineer=by,
        covered_engineer=of,
        starts_at=instant(starts),
        ends_at=instant(ends),
        created_by=by,
    )


# Weeks


def test_an_import_stores_weeks_26_ahead_in_roster_order(rotation):
    weeks = list(RotationWeek.objects.select_related("engineer"))
    assert [str(week.engineer) for week in weeks[:5]] == [
        "Engineer A",
        "Engineer B",
        "Engineer C",
        "Engineer D",
        "Engineer A",
    ]
    assert weeks[0].starts_at == instant("2026-11-23T10:00:00Z")
    assert all(one.ends_at == two.starts_at for one, two in itertools.pairwise(weeks))
    assert weeks[-1].ends_at > AT + dt.timedelta(weeks=26)


def test_ensuring_weeks_again_adds_only_the_missing_ones(rotation):
    assert ensure_weeks(rotation, today=AT.date()) == 0
    assert ensure_weeks(rotation, today=AT.date() + dt.timedelta(weeks=3)) == 3


def test_the_database_refuses_duplicate_and_overlapping_weeks(rotation, a):
    week = RotationWeek.objects.first()
    week.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        week.save(force_insert=True)
    week.starts_on -= dt.timedelta(days=1)
    with pytest.raises(IntegrityError, match="weeks_never_overlap"), transaction.atomic():
        week.save(force_insert=True)


def test_the_database_refuses_covers_that_overlap_but_not_covers_that_meet(rotation, a, b, c):
    cover(rotation, by=b, of=a, starts="2026-11-25T00:00:00Z", ends="2026-11-26T00:00:00Z")
    cover(rotation, by=c, of=a, starts="2026-11-26T00:00:00Z", ends="2026-11-27T00:00:00Z")
    with pytest.raises(IntegrityError, match="covers_never_overlap"), transaction.atomic():
        cover(rotation, by=c, of=a, starts="2026-11-25T23:00:00Z", ends="2026-11-26T01:00:00Z")


def test_a_new_roster_replans_upcoming_weeks_and_keeps_the_current_one(rotation, a, b, c, d):
    set_roster(rotation, engineers=[d, c], starts_on=day("2026-11-30"), at=AT)
    names = [str(week.engineer) for week in RotationWeek.objects.select_related("engineer")[:4]]
    assert names == ["Engineer A", "Engineer D", "Engineer C", "Engineer D"]


@pytest.mark.parametrize("people", [[], ["a", "a"]])
def test_a_roster_needs_at_least_one_engineer_and_each_once(rotation, a, people):
    with pytest.raises(DomainError, match="at least one"):
        set_roster(rotation, engineers=[a for _ in people], starts_on=day("2026-11-30"), at=AT)


def test_changing_the_hour_moves_upcoming_weeks_and_not_the_past(rotation):
    keys = list(RotationWeek.objects.values_list("pk", flat=True))
    assert update_hours(rotation, at=AT, time_zone="Europe/Berlin", handoff_time=dt.time(9)) == [
        "time_zone",
        "handoff_time",
    ]
    weeks = list(RotationWeek.objects.all())
    assert [week.pk for week in weeks] == keys
    assert weeks[0].starts_at == instant("2026-11-23T10:00:00Z")
    assert weeks[0].ends_at == weeks[1].starts_at == instant("2026-11-30T08:00:00Z")
    assert all(one.ends_at == two.starts_at for one, two in itertools.pairwise(weeks))


def test_changing_the_hour_in_the_admin_moves_upcoming_weeks(signed_in, admin, rotation):
    fields = {
        "slug": rotation.slug, "name": rotation.name, "description": rotation.description, "time_zone": "UTC",
        "handoff_weekday": "0", "handoff_time": "08:00", "policy_name": rotation.policy_name, "policy_introduction": "", "policy_rules": "one",
    }  # fmt: skip
    answer = signed_in(admin).post(f"/admin/scheduling/rotation/{rotation.pk}/change/", fields)
    assert answer.status_code == 302
    assert RotationWeek.objects.filter(starts_at__gt=timezone.now()).first().starts_at.hour == 8


def test_the_admin_keeps_commas_and_line_breaks_in_policy_rules(signed_in, admin, rotation):
    rules = ["Ask early, at least 14 days ahead, in #data-oncall.", "First line\nsecond line", "A, B, C"]
    Rotation.objects.update(policy_rules=rules)
    browser = signed_in(admin)
    path = f"/admin/scheduling/rotation/{rotation.pk}/change/"
    form = browser.get(path).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    assert (
        browser.post(path, {name: "" if value is None else value for name, value in shown.items()}).status_code == 302
    )
    assert Rotation.objects.get().policy_rules == rules
    browser.post(path, {**shown, "policy_rules": "One, two\r\n\r\nThree"})
    assert Rotation.objects.get().policy_rules == ["One, two", "Three"]


# Responders


def test_the_chain_is_on_call_engineer_then_owners_then_roster(pipeline):
    actual = chain(pipeline)
    assert [(link.engineer.name, link.role) for link in actual.links] == [
        ("Engineer A", "on_call"),
        ("Engineer D", "primary_owner"),
        ("Engineer B", "rotation"),
        ("Engineer C", "rotation"),
    ]
    assert actual.responder.name == "Engineer A"
    assert actual.until == instant("2026-11-30T10:00:00Z")


def test_the_primary_owner_responds_while_the_on_call_engineer_is_away(pipeline, a, d):
    away(a, "2026-11-24", "2026-11-26")
    actual = chain(pipeline)
    assert (actual.links[0].available, actual.links[0].reason) == (False, "on holiday 24–26 Nov")
    assert actual.responder == d.person
    assert actual.until == instant("2026-11-27T00:00:00Z")


def test_the_secondary_owner_steps_in_when_the_primary_is_unavailable(pipeline, a, d):
    away(d, "2026-11-24", "2026-11-26", kind="sick")
    assert chain(pipeline).acting_owner == a.person
    away(a, "2026-11-24", "2026-11-26")
    assert chain(pipeline).acting_owner is None


def test_a_pipeline_without_anyone_available_is_uncovered(pipeline, a, b, c, d):
    for user in (a, b, c, d):
        away(user, "2026-11-24", "2026-11-26")
    assert chain(pipeline).responder is None


def test_a_cover_replaces_the_on_call_engineer(rotation, pipeline, a, c):
    cover(rotation, by=c, of=a, starts="2026-11-25T00:00:00Z", ends="2026-11-26T00:00:00Z")
    actual = chain(pipeline)
    assert (actual.responder, actual.until) == (c.person, instant("2026-11-26T00:00:00Z"))


def test_an_inactive_engineer_does_not_respond(pipeline, a, d):
    User.objects.filter(pk=a.pk).update(is_active=False)
    actual = chain(pipeline)
    assert actual.responder == d.person
    assert actual.links[0].reason == "no longer active"


def test_the_owners_respond_for_a_pipeline_without_a_rotation(rotation, a, b):
    alone = make_pipeline("Alone", primary=a, secondary=b)
    actual = chain(alone)
    assert [link.role for link in actual.links] == ["primary_owner", "secondary_owner"]
    assert (actual.responder, actual.until) == (a.person, None)


def test_chains_of_many_pipelines_need_few_statements(rotation, a, b):
    for number in range(60):
        make_pipeline(f"More {number}", primary=a, secondary=b, position=number)
    pipelines = list(Pipeline.objects.all())
    with CaptureQueriesContext(connection) as captured:
        assert len(responder_chains(pipelines, at=AT)) == 65
    assert len(captured) <= 12


# Holidays


def test_time_off_counts_in_the_engineers_zone(a):
    a.time_zone = "Asia/Tokyo"
    a.save()
    block = away(a, "2026-12-24", "2026-12-26")
    assert (block.starts_at, block.ends_at) == (instant("2026-12-23T15:00:00Z"), instant("2026-12-26T15:00:00Z"))


def test_only_admins_manage_another_engineers_time_off(a, b, admin):
    dates = HolidayData(day("2026-12-24"), day("2026-12-26"))
    with pytest.raises(NotAllowedError):
        create_holiday(a, data=dates, by=b)
    block = create_holiday(a, data=dates, by=admin)
    with pytest.raises(NotAllowedError):
        delete_holiday(block, by=b)
    delete_holiday(block, by=admin)
    assert not HolidayBlock.objects.exists()


@pytest.mark.parametrize(
    ("dates", "field"),
    [
        (HolidayData(day("2026-12-26"), day("2026-12-24")), "ends_on"),
        (HolidayData(day("2026-12-24"), day("2028-12-24")), "ends_on"),
        (
            HolidayData(day("2026-12-24"), day("2026-12-24"), starts_at_time=dt.time(17), ends_at_time=dt.time(13)),
            "ends_at_time",
        ),
    ],
)
def test_impossible_dates_are_refused_by_field(a, dates, field):
    with pytest.raises(InvalidInputError) as caught:
        create_holiday(a, data=dates, by=a)
    assert list(caught.value.problems) == [field]
    assert not HolidayBlock.objects.exists()


def test_the_impact_has_weeks_changes_of_responder_and_others_away(rotation, a, b, d):
    away(b, "2026-11-25", "2026-11-25")
    block = build_holiday(a, data=HolidayData(day("2026-11-24"), day("2026-11-26")))
    effects = holiday_impact(block, at=AT)
    assert [hit.week.starts_on for hit in effects.weeks] == [day("2026-11-23")]
    assert [row.engineer for row in effects.also_away] == [b]
    stepping = {pipeline.slug: change.after for pipeline, change in effects.changes if change.after}
    assert stepping[SLUG] == d.person
    assert effects.uncovered == []
    assert HolidayBlock.objects.count() == 1


def test_the_impact_has_coverage_gaps(rotation, a, b, c, d):
    for user in (b, c, d):
        away(user, "2026-11-24", "2026-11-26")
    effects = holiday_impact(build_holiday(a, data=HolidayData(day("2026-11-25"), day("2026-11-25"))), at=AT)
    assert len(effects.uncovered) == 5
    assert {change.starts_at for _, change in effects.uncovered} == {instant("2026-11-25T00:00:00Z")}


# Through the API


def get(client, user, path, **query):
    answer = client.get(path, query, **bearer(user))
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_api_lists_who_is_on_call_and_who_is_next(client, rotation, a):
    [row] = get(client, a, "/api/v1/oncall/", at="2026-11-25T12:00:00Z")["results"]
    assert row == {
        "rotation": "weekly-rotation",
        "at": "2026-11-25T12:00:00Z",
        "engineer": "engineer-a",
        "planned_engineer": "engineer-a",
        "covering": False,
        "available": True,
        "starts_at": "2026-11-23T10:00:00Z",
        "ends_at": "2026-11-30T10:00:00Z",
        "until": "2026-11-30T10:00:00Z",
        "next": {"engineer": "engineer-b", "starts_at": "2026-11-30T10:00:00Z"},
    }


def test_the_api_shows_the_covering_engineer(client, rotation, a, c):
    cover(rotation, by=c, of=a, starts="2026-11-25T00:00:00Z", ends="2026-11-26T00:00:00Z")
    [row] = get(client, a, "/api/v1/oncall/", at="2026-11-25T12:00:00Z")["results"]
    assert (row["engineer"], row["planned_engineer"], row["covering"]) == ("engineer-c", "engineer-a", True)
    assert row["next"] == {"engineer": "engineer-a", "starts_at": "2026-11-26T00:00:00Z"}


def test_before_the_rotation_nobody_is_on_call(client, rotation, a):
    [row] = get(client, a, "/api/v1/oncall/", at="2026-01-01T00:00:00Z")["results"]
    assert (row["engineer"], row["available"]) == (None, False)


def test_the_api_gives_a_pipeline_s_responder_and_the_reasons(client, pipeline, a):
    away(a, "2026-11-24", "2026-11-26")
    row = get(client, a, RESPONDER, at="2026-11-25T12:00:00+00:00")
    assert (row["responder"], row["acting_owner"], row["until"]) == ("engineer-d", "engineer-d", "2026-11-27T00:00:00Z")
    assert row["chain"][0] == {
        "engineer": "engineer-a", "role": "on_call", "available": False, "reason": "on holiday 24–26 Nov",
    }  # fmt: skip
    rows = get(client, a, "/api/v1/responders/", at="2026-11-25T12:00:00Z")["results"]
    assert row in rows
    assert len(rows) == 5


def test_a_far_future_is_planned_though_not_stored(client, rotation, a):
    [row] = get(client, a, "/api/v1/oncall/", at="2030-06-05T12:00:00Z")["results"]
    assert row["engineer"] is not None


@each("at", ["yesterday", "2026-11-25", "2026-11-25T12:00:00", "2026-13-45T00:00:00Z", "0001-01-01T00:00:00Z",
                                "9999-12-31T23:59:59-23:59", "\x00", "1e9", "2026-11-25T12:00:00+99:00"])  # fmt: skip
@each("path", ["/api/v1/oncall/", "/api/v1/responders/", RESPONDER])
def test_an_invalid_instant_is_a_400_that_names_the_parameter(client, pipeline, a, path, at):
    answer = client.get(path, {"at": at}, **bearer(a))
    assert answer.status_code == 400
    assert list(answer.json()) == ["at"]


def test_the_api_returns_a_rotation_its_weeks_and_its_timeline(client, rotation, a, b):
    away(b, "2026-12-01", "2026-12-02")
    row = get(client, a, "/api/v1/rotations/weekly-rotation/")
    assert row["roster"] == ["engineer-a", "engineer-b", "engineer-c", "engineer-d"]
    assert (row["starting"], row["handoff_weekday"], row["handoff_time"], row["time_zone"]) == (
        "2026-11-23",
        0,
        "10:00",
        "UTC",
    )
    assert get(client, a, "/api/v1/rotations/")["results"] == [row]
    weeks = get(client, a, "/api/v1/rotations/weekly-rotation/weeks/", **{"from": "2026-11-23", "to": "2026-12-07"})[
        "results"
    ]
    assert [(week["starts_on"], week["engineer"], week["swapped"]) for week in weeks] == [
        ("2026-11-23", "engineer-a", False), ("2026-11-30", "engineer-b", False), ("2026-12-07", "engineer-c", False),
    ]  # fmt: skip
    window = {"from": "2026-11-30T10:00:00Z", "to": "2026-12-07T10:00:00Z"}
    parts = get(client, a, "/api/v1/rotations/weekly-rotation/timeline/", **window)["results"]
    assert [(part["engineer"], part["because"]) for part in parts] == [
        ("engineer-b", "week"),
        (None, "away"),
        ("engineer-b", "week"),
    ]
    assert (parts[0]["starts_at"], parts[-1]["ends_at"]) == (window["from"], window["to"])


@each(
    "query",
    [
        {"from": "x"},
        {"to": "2026-02-30"},
        {"from": "2026-11-30", "to": "2026-11-01"},
        {"from": "2001-01-01", "to": "2099-01-01"},
    ],
)
@each("call", ["weeks", "timeline"])
def test_an_invalid_window_is_a_400(client, rotation, a, call, query):
    answer = client.get(f"/api/v1/rotations/weekly-rotation/{call}/", query, **bearer(a))
    assert answer.status_code == 400


def test_the_api_previews_saves_and_deletes_time_off(client, rotation, a, b, admin):
    given = {"starts_on": "2026-11-30", "ends_on": "2026-12-02", "note": "surgery"}
    preview = client.post("/api/v1/holidays/preview/", given, content_type=JSON, **bearer(b)).json()
    assert [row["week"] for row in preview["weeks"]] == ["2026-11-30"]
    assert not HolidayBlock.objects.exists()
    answer = client.post("/api/v1/holidays/", given, content_type=JSON, **bearer(b))
    assert answer.status_code == 201
    row = answer.json()
    assert row.pop("effects") == preview
    assert (row["engineer"], row["kind"], row["note"]) == ("engineer-b", "holiday", "surgery")
    path = f"/api/v1/holidays/{row['id']}/"
    assert get(client, a, path)["note"] == ""
    assert get(client, admin, path)["note"] == "surgery"
    assert (
        client.patch(path, {"ends_on": "2026-12-03"}, content_type=JSON, **bearer(b)).json()["ends_on"] == "2026-12-03"
    )
    assert client.delete(path, **bearer(a)).status_code == 403
    assert client.delete(path, **bearer(b)).status_code == 204
    assert not HolidayBlock.objects.exists()


@each(
    ("given", "status", "field"),
    [
        ({"starts_on": "2026-12-24"}, 400, "ends_on"),
        ({"starts_on": "2026-12-24", "ends_on": "2026-12-20"}, 400, "ends_on"),
        ({"starts_on": "24.12.", "ends_on": "2026-12-26"}, 400, "starts_on"),
        ({"starts_on": "9999-12-24", "ends_on": "2026-12-26"}, 400, "starts_on"),
        ({"starts_on": "2026-12-24", "ends_on": "2026-12-26", "kind": "boredom"}, 400, "kind"),
        ({"starts_on": "2026-12-24", "ends_on": "2026-12-26", "note": "x\0"}, 400, "note"),
        ({"starts_on": "2026-12-24", "ends_on": "2026-12-26", "engineer": "nobody"}, 400, "engineer"),
        ({"starts_on": "2026-12-24", "ends_on": "2026-12-26", "engineer": "engineer-a"}, 403, "detail"),
    ],
)
def test_invalid_time_off_is_a_400_that_names_the_field(client, rotation, b, given, status, field):
    for path in ("/api/v1/holidays/", "/api/v1/holidays/preview/"):
        answer = client.post(path, given, content_type=JSON, **bearer(b))
        assert (answer.status_code, list(answer.json())) == (status, [field])
    assert not HolidayBlock.objects.exists()


# In the browser


def test_now_says_who_is_on_call_who_answers_and_why(signed_in, rotation, a):
    page = signed_in(a).get("/").content.decode()
    assert "On call" in page
    assert "on call" in page


def test_now_shows_what_nobody_covers_in_red(signed_in, rotation, a, b, c, d):
    today = timezone.now().date()
    for user in (a, b, c, d):
        away(user, str(today - dt.timedelta(days=1)), str(today + dt.timedelta(days=1)))
    page = signed_in(a).get("/").content.decode()
    assert "5 pipelines have no available responder" in page


def test_a_pipeline_s_page_shows_its_chain(signed_in, pipeline, a):
    page = signed_in(a).get(f"/pipelines/{SLUG}/").content.decode()
    assert "Responder now" in page
    assert page.count("chain-link") == 4


def test_the_schedule_and_the_calendar_show_who_is_away(signed_in, rotation, b, a):
    first = RotationWeek.objects.filter(engineer=b, starts_at__gt=timezone.now()).first().starts_on
    away(b, str(first), str(first + dt.timedelta(days=2)), note="private matter")
    assert "<li>Engineer B: on holiday" in signed_in(a).get("/schedule/").content.decode()
    page = signed_in(a).get(f"/calendar/{first.year}/{first.month}/").content.decode()
    assert "Engineer B" in page
    assert "private matter" not in page
    assert "private matter" in signed_in(b).get(f"/calendar/{first.year}/{first.month}/").content.decode()


@pytest.mark.parametrize("path", ["/calendar/1999/12/", "/calendar/2026/13/", "/calendar/2026/0/"])
def test_an_invalid_month_is_a_404(signed_in, rotation, a, path):
    assert signed_in(a).get(path).status_code == 404


@each(
    ("query", "page"),
    [
        ("month=2027-02-01", "/calendar/2027/2/"),
        ("month=2027-02-01&rotation=weekly-rotation", "/calendar/2027/2/?rotation=weekly-rotation"),
        ("everyone=1&month=2027-02-28", "/calendar/2027/2/?everyone=1"),
        ("month=x", "/calendar/2026/11/"),
        ("month=", "/calendar/2026/11/"),
        ("", "/calendar/2026/11/"),
    ],
)
def test_a_month_is_chosen_from_a_select(signed_in, rotation, a, query, page):
    browser = signed_in(a)
    assert browser.get(f"/calendar/?{query}").headers["Location"] == page
    shown = browser.get(page).content.decode()
    year, month = page.split("/")[2:4]
    assert f'<option value="{year}-{int(month):02}-01" selected>' in shown
    assert '<option value="2028-11-01">November 2028</option>' in shown


@each("path", ["/calendar/2000/1/", "/calendar/2099/12/", "/calendar/2026/2/"])
def test_the_calendar_shows_months_from_2000_to_2099(signed_in, rotation, a, path):
    User.objects.update(country="DE", subdivision="BE")
    assert signed_in(a).get(path).status_code == 200


def test_adding_time_off_shows_its_impact_before_it_is_saved(signed_in, rotation, b):
    browser = signed_in(b)
    typed = {"starts_on": "2026-11-30", "ends_on": "2026-12-02", "kind": "holiday", "note": "skiing"}
    page = browser.post("/calendar/add/", typed)
    text = page.content.decode()
    assert "week of 30 Nov" in text
    assert "responds instead of Engineer B" in text
    assert 'value="skiing"' in text
    assert not HolidayBlock.objects.exists()
    assert browser.post("/calendar/add/", {**typed, "save": "1"}).headers["Location"] == "/calendar/2026/11/"
    block = HolidayBlock.objects.get()
    page = browser.post(f"/calendar/holidays/{block.pk}/", {**typed, "ends_on": "2026-12-03", "save": "1"})
    assert HolidayBlock.objects.get().ends_on == day("2026-12-03")
    browser.post(f"/calendar/holidays/{block.pk}/delete/")
    assert not HolidayBlock.objects.exists()


def test_invalid_time_off_keeps_the_input(signed_in, rotation, b):
    page = signed_in(b).post(
        "/calendar/add/", {"starts_on": "2026-12-02", "ends_on": "2026-11-30", "kind": "sick", "note": "flu"}
    )
    assert page.status_code == 400
    text = page.content.decode()
    assert "is before the first day" in text
    assert 'value="flu"' in text
    assert 'value="2026-12-02"' in text


def test_only_the_engineer_and_admins_edit_time_off(signed_in, rotation, a, b, admin):
    block = away(b, "2026-11-30", "2026-12-02")
    assert signed_in(a).get(f"/calendar/holidays/{block.pk}/").status_code == 404
    assert signed_in(a).post(f"/calendar/holidays/{block.pk}/delete/").status_code == 404
    assert signed_in(admin).get(f"/calendar/holidays/{block.pk}/").status_code == 200
    typed = {
        "engineer": a.pk,
        "starts_on": "2026-12-10",
        "ends_on": "2026-12-11",
        "kind": "sick",
        "note": "",
        "save": "1",
    }
    signed_in(admin).post("/calendar/add/", typed)
    assert HolidayBlock.objects.filter(engineer=a).exists()


def test_an_engineer_cannot_add_time_off_for_another(signed_in, rotation, a, b):
    typed = {
        "engineer": b.pk,
        "starts_on": "2026-12-10",
        "ends_on": "2026-12-11",
        "kind": "sick",
        "note": "",
        "save": "1",
    }
    signed_in(a).post("/calendar/add/", typed)
    assert HolidayBlock.objects.get().engineer == a


def test_the_admin_lists_weeks_and_time_off(signed_in, rotation, admin, b):
    away(b, "2026-11-30", "2026-12-02")
    for path in ("rotationweek", "holidayblock", "cover", "roster", "rotation", "pipelinerotation", "coveragegap"):
        assert signed_in(admin).get(f"/admin/scheduling/{path}/").status_code == 200


# A week's page, fairness, a new roster


def test_the_week_page_shows_the_engineer_time_off_and_history(signed_in, rotation, a, b):
    away(b, "2026-12-01", "2026-12-02")
    page = signed_in(a).get("/schedule/2026-11-30/").content.decode()
    assert "Engineer B" in page
    assert "the on-call engineer is away" in page
    assert page.count('<ol class="history">') == 2


@pytest.mark.parametrize("path", ["/schedule/2026-12-01/", "/schedule/2026-13-45/", "/schedule/1999-01-04/"])
def test_a_date_without_a_week_is_a_404(signed_in, rotation, a, path):
    assert signed_in(a).get(path).status_code == 404


def test_fairness_counts_weeks_weekend_days_and_public_holidays(rotation, a, b, c, d):
    User.objects.update(country="DE", subdivision="BE")
    at = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
    rows = {row.engineer: row for row in dict(rotation_workloads([rotation], at=at))[rotation]}
    assert {person.name[-1]: row.past.weeks for person, row in rows.items()} == {"A": 1, "B": 0, "C": 0, "D": 0}
    assert rows[a.person].past.weekend_days == 2
    assert sum(row.upcoming.weekend_days for row in rows.values()) == 52
    assert sum(row.upcoming.weeks for row in rows.values()) in (26, 27)
    # Christmas Day and Boxing Day of 2026 fall into the week of the 21st, Engineer A's.
    before = rows[a.person].upcoming.public_holidays
    cover(rotation, by=c, of=a, starts="2026-12-25T00:00:00Z", ends="2026-12-26T00:00:00Z")
    after = {row.engineer: row for row in dict(rotation_workloads([rotation], at=at))[rotation]}
    assert after[a.person].upcoming.public_holidays == before - 1
    assert after[c.person].upcoming.public_holidays == rows[c.person].upcoming.public_holidays + 1


def test_the_fairness_page_shows_seven_counts_per_engineer(signed_in, rotation, a):
    page = signed_in(a).get("/fairness/").content.decode()
    assert page.count('class="share-number"') == 28


def test_a_new_roster_is_previewed_before_it_is_saved(signed_in, admin, rotation, a, b, c, d):
    browser = signed_in(admin)
    path = "/schedule/weekly-rotation/roster/"
    form = browser.get(path).context["form"]
    assert form["engineers"].value().split() == ["engineer-a", "engineer-b", "engineer-c", "engineer-d"]
    week = form.fields["starts_on"].choices[3][0]
    # Three engineers instead of four: whichever week the roster starts in, each of them gains some weeks and loses others.
    typed = {"starts_on": week, "engineers": "engineer-d\nengineer-c\nengineer-b"}
    before = list(RotationWeek.objects.values_list("starts_on", "engineer"))
    text = browser.post(path, typed).content.decode()
    assert "weeks would be reassigned" in text
    assert "in total" in text
    assert list(RotationWeek.objects.values_list("starts_on", "engineer")) == before
    assert browser.post(path, {**typed, "save": "1"}).headers["Location"] == "/schedule/"
    changed = list(RotationWeek.objects.values_list("starts_on", "engineer"))
    stored = [row for row in before if row[0] < day(week)]
    assert changed[: len(stored)] == stored
    assert [engineer for _, engineer in changed[len(stored) :][:4]] == [d.pk, c.pk, b.pk, d.pk]


def test_the_order_of_a_roster_is_changed_with_buttons(signed_in, admin, rotation):
    browser, path = signed_in(admin), "/schedule/weekly-rotation/roster/"
    week = browser.get(path).context["form"].fields["starts_on"].choices[3][0]
    typed = {"starts_on": week, "engineers": ["engineer-a", "engineer-b", "engineer-c", "engineer-d", ""]}
    for button, order in (
        ({"up": "1"}, "b a c d"),
        ({"down": "0"}, "b a c d"),
        ({"up": "0"}, "a b c d"),
        ({"down": "9"}, "a b c d"),
    ):
        page = browser.post(path, {**typed, **button})
        assert (page.status_code, page.context["form"].places) == (
            200,
            [f"engineer-{letter}" for letter in order.split()],
        )
    assert RosterMember.objects.count() == 4


def test_who_replaces_an_engineer_takes_their_weeks_and_no_one_else_moves(
    signed_in, admin, rotation, a, b, c, d, outsider
):
    browser, path = signed_in(admin), "/schedule/weekly-rotation/roster/"
    before = dict(RotationWeek.objects.values_list("starts_on", "engineer"))
    week = browser.get(path).context["form"].fields["starts_on"].choices[2][0]
    typed = {
        "starts_on": week,
        "keep_weeks": "on",
        "engineers": [a.username, outsider.username, c.username, d.username],
    }
    assert browser.post(path, {**typed, "save": "1"}).headers["Location"] == "/schedule/"
    after = dict(RotationWeek.objects.values_list("starts_on", "engineer"))
    replaced = {
        start: outsider.pk if engineer == b.pk and start >= day(week) else engineer
        for start, engineer in before.items()
    }
    assert after == replaced
    assert outsider.pk in after.values()


def test_saving_a_roster_does_what_its_preview_says(rotation, admin, a, b, c, d):
    starts_on = day("2026-12-14")
    change = roster_change(rotation, engineers=[b, a, d], starts_on=starts_on)
    before = dict(RotationWeek.objects.values_list("starts_on", "engineer"))
    change_roster(rotation, engineers=[b, a, d], starts_on=starts_on, by=admin, at=AT)
    after = dict(RotationWeek.objects.values_list("starts_on", "engineer"))
    moved = [(on, before[on], after[on]) for on in before if before[on] != after[on]]
    assert [(move.week, move.giver.id, move.taker.id) for move in change.weeks] == moved
    assert sum(change.gained.values()) == sum(change.lost.values()) == len(moved)


@pytest.mark.parametrize(
    ("engineers", "reason"),
    [
        ("engineer-a\nnobody", "Place 2: no active engineer"),
        ("engineer-a\n\nengineer-a", "Place 3: Engineer A is listed twice."),
        ("", "required"),
    ],
)
def test_an_invalid_roster_names_the_line_and_keeps_the_input(signed_in, admin, rotation, engineers, reason):
    browser = signed_in(admin)
    path = "/schedule/weekly-rotation/roster/"
    week = browser.get(path).context["form"].fields["starts_on"].choices[0][0]
    page = browser.post(path, {"starts_on": week, "engineers": engineers, "save": "1"})
    assert page.status_code == 400
    assert reason in page.content.decode()
    assert page.context["form"]["engineers"].value() == engineers
    assert newest_roster(rotation).starts_on == day("2026-11-23")


def test_a_roster_cannot_change_a_started_week(rotation, admin, a, b):
    for starts_on in ("2026-11-23", "2026-11-16"):
        with pytest.raises(DomainError, match="already started"):
            change_roster(rotation, engineers=[b, a], starts_on=day(starts_on), by=admin, at=AT)


def test_only_an_admin_changes_a_roster(signed_in, rotation, a, b):
    assert signed_in(a).get("/schedule/weekly-rotation/roster/").status_code == 403
    with pytest.raises(NotAllowedError):
        change_roster(rotation, engineers=[b, a], starts_on=day("2026-11-30"), by=a, at=AT)


def test_the_account_page_lists_my_weeks_and_time_off(signed_in, rotation, b, a):
    first = RotationWeek.objects.filter(engineer=b, starts_at__gt=timezone.now()).first().starts_on
    away(b, str(first), str(first + dt.timedelta(days=1)), kind="training")
    page = signed_in(b).get("/me/").content.decode()
    assert f'href="/schedule/{first}/"' in page
    assert "Training" in page
    assert "You have no upcoming time off" in signed_in(a).get("/me/").content.decode()


def test_the_next_shifts_are_two_weeks_and_two_covers_with_the_running_ones(rotation, a, b, c):
    for starts, ends in (
        ("11-23T12", "11-24T12"),
        ("11-25T10", "11-25T13"),
        ("12-01T00", "12-01T06"),
        ("12-09T00", "12-09T06"),
    ):
        cover(rotation, by=a, of=b, starts=f"2026-{starts}:00Z", ends=f"2026-{ends}:00Z")
    cover(rotation, by=c, of=a, starts="2026-11-26T00:00Z", ends="2026-11-27T00:00Z")
    weeks, covers = next_shifts(a, at=AT)
    assert weeks == [
        Shift(instant("2026-11-23T10:00Z"), instant("2026-11-30T10:00Z"), None),
        Shift(instant("2026-12-21T10:00Z"), instant("2026-12-28T10:00Z"), None),
    ]
    assert covers == [
        Shift(instant("2026-11-25T10:00Z"), instant("2026-11-25T13:00Z"), "Engineer B"),
        Shift(instant("2026-12-01T00:00Z"), instant("2026-12-01T06:00Z"), "Engineer B"),
    ]


def test_the_first_rotations_are_the_active_ones_of_the_reader(rotation, a, outsider):
    slugs = ("archived", "other", "own")
    archived, other, own = Rotation.objects.bulk_create(Rotation(slug=slug, name=slug) for slug in slugs)
    Rotation.objects.filter(pk=archived.pk).update(archived_at=AT)
    set_roster(own, engineers=[outsider], starts_on=day("2026-12-07"), at=AT)
    assert first_rotations(outsider, limit=9) == [own.pk, rotation.pk, other.pk]
    assert first_rotations(outsider, limit=2) == [own.pk, rotation.pk]
    assert first_rotations(a, limit=1) == [rotation.pk]


# Moments nobody covers


def test_coverage_gaps_are_stored_shown_and_deleted_once_resolved(signed_in, rotation, a, b, c, d):
    now = timezone.now()
    first = (now + dt.timedelta(days=10)).date()
    blocks = [away(user, str(first), str(first + dt.timedelta(days=1))) for user in (a, b, c, d)]
    assert sync_coverage_gaps(at=now) == 5
    rows = list(CoverageGap.objects.values_list("pk", "starts_at", "ends_at"))
    assert {(row[1], row[2]) for row in rows} == {(blocks[0].starts_at, blocks[0].ends_at)}
    assert "Coverage gaps" in signed_in(a).get("/schedule/").content.decode()
    # Found again, and while it runs, it is the same row.
    sync_coverage_gaps(at=now)
    sync_coverage_gaps(at=blocks[0].starts_at + dt.timedelta(hours=1))
    assert list(CoverageGap.objects.values_list("pk", "starts_at", "ends_at")) == rows
    delete_holiday(blocks[0], by=a)
    assert sync_coverage_gaps(at=now) == 0
    assert not CoverageGap.objects.exists()
    assert "Coverage gaps" not in signed_in(a).get("/schedule/").content.decode()


def test_inactive_owners_on_no_roster_leave_gaps_chains_and_impacts_uncovered(rotation, a, b, c, d, outsider):
    second = make_engineer("Second outsider")
    pipeline = make_pipeline("Abandoned", primary=outsider, secondary=second)
    assert chain(pipeline).responder == outsider.person
    User.objects.filter(pk=outsider.pk).update(is_active=False)
    assert chain(pipeline).responder == second.person
    assert chain(pipeline).links[0].reason == "no longer active"
    block = build_holiday(second, data=HolidayData(day("2026-11-30"), day("2026-11-30")))
    assert [change.after for row, change in holiday_impact(block, at=AT).changes if row == pipeline] == [None]
    User.objects.filter(pk=second.pk).update(is_active=False)
    assert (chain(pipeline).responder, chain(pipeline).acting_owner) == (None, None)
    assert sync_coverage_gaps(at=AT) == 1
    assert CoverageGap.objects.get().pipeline == pipeline
    assert pipeline in possibly_uncovered(at=AT).pipelines


def test_gaps_beyond_eight_weeks_are_not_stored(rotation, a, b, c, d):
    for user in (a, b, c, d):
        away(user, "2027-03-01", "2027-03-02")
    assert sync_coverage_gaps(at=AT) == 0
    assert sync_coverage_gaps(at=AT + dt.timedelta(weeks=8)) == 5


def test_only_pipelines_with_both_owners_away_can_have_gaps(a, b, c, d, admin):
    make_pipeline("Apart", primary=a, secondary=b)
    together = make_pipeline("Together", primary=a, secondary=c)
    with_a_leaver = make_pipeline("With a leaver", primary=a, secondary=d)
    away(a, "2026-12-01", "2026-12-03")
    away(b, "2026-12-04", "2026-12-05")
    away(c, "2026-12-03", "2026-12-04")
    away(c, "2026-12-01", "2026-12-01")
    for one in (a, b):  # before the window and after it
        away(one, "2026-11-02", "2026-11-03")
        away(one, "2027-02-02", "2027-02-03")
    User.objects.filter(pk=d.pk).update(is_active=False)
    window = {"starts_at": AT, "ends_at": AT + dt.timedelta(weeks=4)}
    assert without_available_owner(**window) == [
        OwnedPipeline(together.pk, None, a.pk, c.pk),
        OwnedPipeline(with_a_leaver.pk, None, a.pk, d.pk),
    ]
    assert set(possibly_uncovered(at=dt.datetime(2026, 12, 3, 12, tzinfo=dt.UTC)).pipelines) == {
        together,
        with_a_leaver,
    }
    assert set(possibly_uncovered(at=dt.datetime(2026, 12, 4, 12, tzinfo=dt.UTC)).pipelines) == set()


def test_an_available_on_call_engineer_rules_out_uncovered_pipelines(rotation, a, b, c, d):
    for user in (b, c, d):
        away(user, "2026-11-25", "2026-11-26")
    # Engineer A, on call, owns none of these, and is their responder.
    pipeline = make_pipeline("Of the rotation", primary=b, secondary=c)
    elsewhere = make_pipeline("Of no rotation", primary=b, secondary=c)
    PipelineRotation.objects.create(pipeline=pipeline, rotation=rotation)
    assert set(possibly_uncovered(at=AT).pipelines) == {elsewhere}
    # With an active cover the week's engineer is not the responder: the chain decides.
    row = cover(rotation, by=d, of=a, starts="2026-11-25T12:00:00+00:00", ends="2026-11-25T13:00:00+00:00")
    assert pipeline in set(possibly_uncovered(at=AT).pipelines)
    row.delete()
    away(a, "2026-11-25", "2026-11-25")
    assert pipeline in set(possibly_uncovered(at=AT).pipelines)
    assert chain(pipeline).responder is None


# Time zones of time off


def test_time_off_keeps_the_zone_it_was_entered_in(a):
    a.time_zone = "Asia/Tokyo"
    a.save()
    block = away(a, "2026-12-24", "2026-12-26")
    a.time_zone = "America/New_York"
    a.save()
    data = HolidayData(day("2026-12-24"), day("2026-12-26"), kind="sick", note="flu")
    updated = update_holiday(HolidayBlock.objects.get(pk=block.pk), data=data, by=a)
    assert (updated.kind, updated.time_zone) == ("sick", "Asia/Tokyo")
    assert (updated.starts_at, updated.ends_at) == (block.starts_at, block.ends_at)
    # Other dates count in the same zone.
    data = HolidayData(day("2026-12-25"), day("2026-12-25"), starts_at_time=dt.time(9), ends_at_time=dt.time(17))
    updated = update_holiday(updated, data=data, by=a)
    assert (updated.starts_at, updated.ends_at) == (instant("2026-12-25T00:00:00Z"), instant("2026-12-25T08:00:00Z"))


def test_the_api_shows_the_zone_of_time_off(client, a):
    a.time_zone = "Asia/Tokyo"
    a.save()
    block = away(a, "2026-12-24", "2026-12-26")
    User.objects.filter(pk=a.pk).update(time_zone="UTC")
    path = f"/api/v1/holidays/{block.pk}/"
    assert get(client, a, path)["time_zone"] == "Asia/Tokyo"
    row = client.patch(path, {"note": "skiing"}, content_type=JSON, **bearer(a)).json()
    assert (row["note"], row["time_zone"]) == ("skiing", "Asia/Tokyo")
    assert HolidayBlock.objects.get().starts_at == block.starts_at
