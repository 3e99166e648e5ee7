"""Several rotations: created, changed and archived in the browser, through the API and in the admin."""

import datetime as dt
import re

import pytest
from django.utils import timezone

from scheduling.models import Rotation
from scheduling.queries.on_call import on_call_shifts
from scheduling.services.rotations import create_rotation
from tests.each import each
from tests.factories import bearer, import_example, make_engineer
from tests.snapshots import this_minute

JSON = "application/json"


@pytest.fixture
def rotation(db):
    import_example(at=this_minute())
    return Rotation.objects.get()


@pytest.fixture
def call(client, rotation):
    """Return a function that calls the API as a user with a JSON body."""

    def send(user, method, path, body=None):
        return getattr(client, method)(f"/api/v1/rotations/{path}", body or {}, content_type=JSON, **bearer(user))

    return send


FINANCE = {
    "name": "Finance",
    "time_zone": "America/New_York",
    "handoff_weekday": 2,
    "handoff_time": "09:30",
    "roster": ["engineer-c", "engineer-d"],
}


def test_the_api_creates_a_second_rotation(call, client, admin, a):
    assert call(a, "post", "", FINANCE).status_code == 403
    response = call(admin, "post", "", FINANCE)
    assert response.status_code == 201, response.content
    row = response.json()
    starting = dt.date.fromisoformat(row.pop("starting"))
    drill = {"weekly_drill": False, "drill_weekday": 1, "drill_time": "11:00"}
    assert row == {**FINANCE, **drill, "slug": "finance", "archived_at": None}
    assert starting.weekday() == 2
    assert call(a, "get", "finance/").json()["roster"] == FINANCE["roster"]
    on_call = {row["rotation"]: row["engineer"] for row in client.get("/api/v1/oncall/", **bearer(a)).json()["results"]}
    assert set(on_call) == {"weekly-rotation", "finance"}


@each(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "weekly  ROTATION"}, "name"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"handoff_weekday": 7}, "handoff_weekday"),
        ({"handoff_time": "25:00"}, "handoff_time"),
        ({"roster": []}, "roster"),
        ({"roster": ["nobody"]}, "roster"),
        ({"roster": ["engineer-a", "engineer-a"]}, "roster"),
        ({"starting": "2001-01-03"}, "starting"),
        ({"starting": "0001-01-03"}, "starting"),
    ],
)
def test_an_invalid_rotation_is_a_400_that_names_the_field(call, admin, body, field):
    response = call(admin, "post", "", {**FINANCE, **body})
    assert (response.status_code, list(response.json())) == (400, [field])
    assert Rotation.objects.count() == 1


def test_the_api_changes_the_name_the_hand_off_and_the_roster(call, rotation, admin, a):
    body = {
        "name": "Main",
        "time_zone": "Europe/Berlin",
        "handoff_weekday": 3,
        "handoff_time": "08:00",
        "roster": ["engineer-d"],
    }
    assert call(a, "patch", "weekly-rotation/", body).status_code == 403
    response = call(admin, "patch", "weekly-rotation/", body)
    assert response.status_code == 200, response.content
    row = response.json()
    assert {name: row[name] for name in ("name", "time_zone", "handoff_weekday", "handoff_time")} == {
        name: body[name] for name in ("name", "time_zone", "handoff_weekday", "handoff_time")
    }
    upcoming = rotation.weeks.filter(starts_at__gt=timezone.now()).order_by("starts_at").select_related("engineer")
    assert {week.engineer.username for week in upcoming} == {"engineer-d"}
    assert {week.starts_on.weekday() for week in upcoming} == {3}
    assert list(call(admin, "patch", "weekly-rotation/", {"starting": "2027-03-04"}).json()) == ["roster"]
    assert list(call(admin, "patch", "weekly-rotation/", {"time_zone": "x"}).json()) == ["time_zone"]


@pytest.mark.parametrize(("method", "path", "status"), [("delete", "", 204), ("post", "archive/", 200)])
def test_the_api_archives_a_rotation(call, rotation, admin, a, method, path, status):
    assert call(a, method, f"weekly-rotation/{path}").status_code == 403
    assert call(admin, method, f"weekly-rotation/{path}").status_code == status
    assert call(a, "get", "").json()["results"] == []
    assert call(a, "get", "weekly-rotation/").json()["archived_at"] is not None
    assert call(admin, method, f"weekly-rotation/{path}").status_code == 409
    [shift] = on_call_shifts([Rotation.objects.get()], at=timezone.now())
    assert shift.engineer is None


def test_an_admin_creates_edits_and_archives_a_rotation_in_the_browser(signed_in, rotation, admin, a):
    browser = signed_in(admin)
    assert 'href="/schedule/new/"' in browser.get("/schedule/").content.decode()
    typed = {
        "name": "Finance", "description": "", "time_zone": "UTC", "handoff_weekday": "2", "handoff_time": "09:00",
        "engineers": "engineer-a\nnobody",
    }  # fmt: skip
    wrong = browser.post("/schedule/new/", typed)
    assert wrong.status_code == 400
    assert "Place 2: no active engineer" in wrong.content.decode()
    assert browser.post("/schedule/new/", {**typed, "engineers": "engineer-a\nengineer-b"}).status_code == 302
    finance = Rotation.objects.get(slug="finance")
    assert finance.weeks.first().engineer == a
    assert browser.post("/schedule/finance/edit/", {**typed, "name": "Weekly Rotation"}).status_code == 400
    assert browser.post("/schedule/finance/edit/", {**typed, "name": "Money"}).status_code == 302
    assert Rotation.objects.get(slug="finance").name == "Money"
    browser.post("/schedule/finance/archive/")
    assert list(Rotation.objects.active()) == [rotation]
    assert browser.get("/schedule/finance/edit/").status_code == 404
    later = (timezone.localdate() + dt.timedelta(days=28)).isoformat()
    assert "Money" in browser.get("/schedule/").content.decode()
    assert "Money" not in browser.get(f"/schedule/?from={later}").content.decode()


def test_a_new_rotation_has_a_select_for_each_place(signed_in, rotation, admin, a, b):
    """Without JavaScript: six empty selects, and buttons that move a place and lose nothing typed."""
    browser = signed_in(admin)
    page = browser.get("/schedule/new/").content.decode()
    assert page.partition("<template")[0].count('name="engineers"') == 6
    typed = {
        "name": "Finance", "description": "Money", "time_zone": "Europe/Berlin", "handoff_weekday": "2", "handoff_time": "09:00",
        "engineers": ["engineer-a", "", "engineer-b"],
    }  # fmt: skip
    moved = browser.post("/schedule/new/", {**typed, "up": "1"})
    form = moved.context["form"]
    assert (moved.status_code, form.places) == (200, ["engineer-b", "engineer-a"])
    assert [form[name].value() for name in ("name", "description", "time_zone", "handoff_weekday")] == [
        "Finance",
        "Money",
        "Europe/Berlin",
        "2",
    ]
    assert not Rotation.objects.filter(slug="finance").exists()
    for button in ("²", "9" * 5000, "-1"):
        assert browser.post("/schedule/new/", {**typed, "name": "", "up": button}).status_code == 400
    assert browser.post("/schedule/new/", typed).status_code == 302
    assert [week.engineer for week in Rotation.objects.get(slug="finance").weeks.order_by("starts_on")[:3]] == [a, b, a]


@pytest.fixture
def large_team(db, admin):
    """A rotation of 105 engineers."""
    people = [make_engineer(f"Engineer {number:03}") for number in range(105)]
    return create_rotation(name="Large", engineers=people, by=admin, at=timezone.now())


def test_a_roster_of_a_large_team_is_a_short_page_that_is_edited_without_javascript(signed_in, large_team, admin):
    browser = signed_in(admin)
    page = browser.get("/schedule/large/roster/")
    assert len(page.content) < 300_000
    names = page.context["form"].places
    assert len(names) == 105
    added = browser.post("/schedule/large/roster/", {"engineers": names, "add": "1"})
    assert len(added.content) < 300_000
    selects = re.findall(
        r'<select name="engineers".*?</select>', page.content.decode().partition("<template")[0], re.DOTALL
    )
    # A place lists Remove and its engineer; the last select lists everyone.
    assert [select.count("<option") for select in selects] == [2] * 105 + [107]
    week = page.context["form"].fields["starts_on"].choices[0][0]
    replaced = [*names[1:], "admin"]
    saved = browser.post("/schedule/large/roster/", {"engineers": replaced, "starts_on": week, "save": "1"})
    assert saved.status_code == 302
    newest = large_team.rosters.latest("starts_on").members.order_by("position")
    assert [member.engineer.username for member in newest] == replaced
    typed = {"name": "Second", "time_zone": "UTC", "handoff_weekday": "0", "handoff_time": "10:00", "engineers": names}
    assert len(browser.post("/schedule/new/", {**typed, "up": "3"}).content) < 300_000


def test_only_admins_reach_the_rotation_pages(signed_in, rotation, a):
    browser = signed_in(a)
    assert [browser.get(path).status_code for path in ("/schedule/new/", "/schedule/weekly-rotation/edit/")] == [
        403,
        403,
    ]
    assert browser.post("/schedule/weekly-rotation/archive/").status_code == 403
    assert "New rotation" not in browser.get("/schedule/").content.decode()


def test_the_admin_leads_to_the_page_and_changes_the_weekday(signed_in, rotation, admin):
    browser = signed_in(admin)
    assert browser.get("/admin/scheduling/rotation/add/").headers["Location"] == "/schedule/new/"
    path = f"/admin/scheduling/rotation/{rotation.pk}/change/"
    form = browser.get(path).context["adminform"].form
    typed = {name: form[name].value() or "" for name in form.fields}
    assert browser.post(path, {**typed, "handoff_weekday": "4"}).status_code == 302
    assert {
        day.weekday() for day in rotation.weeks.filter(starts_at__gt=timezone.now()).values_list("starts_on", flat=True)
    } == {4}


@each("page", ["/schedule/new/", "/schedule/weekly-rotation/roster/"])
def test_without_javascript_a_button_adds_a_place_and_enter_moves_nobody(signed_in, rotation, admin, page):
    browser = signed_in(admin)
    typed = {"name": "Other", "engineers": ["engineer-b", "engineer-a", ""], "add": "1"}
    added = browser.post(page, typed)
    form = added.context["form"]
    assert (added.status_code, form.is_bound, form.places) == (200, False, ["engineer-b", "engineer-a"])
    assert len(form.empty_places) >= 1
    assert not Rotation.objects.filter(name="Other").exists()
    # Enter presses the first button of a form.
    [first, *_] = re.findall(r"<button [^>]*>", added.content.decode().partition('<form class="form card"')[2])
    assert "name=" not in first
