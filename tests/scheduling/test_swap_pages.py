"""Swaps, covers and the planner in the browser and in the admin; the planner and rosters through the API."""

import datetime as dt

import pytest
from django.utils import timezone

from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.each import each
from tests.factories import bearer, import_example
from tests.snapshots import this_minute

JSON = "application/json"
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(weeks=1)


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


def request_path(week):
    return f"/swaps/request/?rotation=weekly-rotation&week={week.starts_on}"


def holder(week):
    return RotationWeek.objects.get(pk=week.pk).engineer


def text(answer):
    return answer.content.decode()


def test_from_my_weeks_to_an_accepted_swap(signed_in, weeks):
    mine, theirs = weeks[0], weeks[1]
    browser = signed_in(mine.engineer)
    assert request_path(mine).replace("&", "&amp;") in text(browser.get("/swaps/request/"))
    page = text(browser.get(request_path(mine)))
    assert f"Request swap with {theirs.engineer}" in page
    assert f'value="Could you take my on-call week of {mine.starts_on.day} {mine.starts_on:%b}?' in page
    # What all suggestions have in common is said once.
    assert page.count("Shift totals unchanged.") == 1
    answer = browser.post(request_path(mine), {"wanted_week": str(theirs.starts_on), "message": "A wedding."})
    swap = SwapRequest.objects.get()
    assert answer.headers["Location"] == f"/swaps/{swap.pk}/"
    assert "Withdraw" in text(browser.get(f"/swaps/{swap.pk}/"))
    other = signed_in(theirs.engineer)
    assert f'href="/swaps/{swap.pk}/"' in text(other.get("/swaps/"))
    page = text(other.get(f"/swaps/{swap.pk}/"))
    assert "Your response" in page
    assert "A wedding." in page
    assert other.post(f"/swaps/{swap.pk}/accept/").status_code == 302
    assert (holder(mine), holder(theirs)) == (theirs.engineer, mine.engineer)
    page = text(browser.get("/schedule/"))
    assert f'<span class="badge info">Swapped</span> planned: {mine.engineer}' in page
    assert f"{theirs.engineer} is on call" in page
    assert "Change made" in text(browser.get(f"/swaps/{swap.pk}/"))


def test_the_account_page_lists_my_open_swap_requests(signed_in, rotation, weeks, now):
    proposal = SwapProposal(weeks[0].starts_on, counterpart=weeks[1].engineer)
    swap = request_swap(rotation, proposal=proposal, by=weeks[0].engineer, at=now)
    link = f'href="/swaps/{swap.pk}/"'
    assert link in text(signed_in(weeks[0].engineer).get("/me/"))
    page = text(signed_in(weeks[1].engineer).get("/me/"))
    assert link in page
    assert "Waiting for you" in page
    assert link not in text(signed_in(weeks[2].engineer).get("/me/"))


def test_one_button_requests_a_suggested_swap(signed_in, weeks):
    mine = weeks[0]
    browser = signed_in(mine.engineer)
    card = browser.get(request_path(mine)).context["suggestions"].cards[0]
    assert browser.post(request_path(mine), card.fields).status_code == 302
    swap = SwapRequest.objects.get()
    assert swap.moves() == card.moves


def test_only_the_engineer_s_own_week_shows_suggestions(signed_in, weeks):
    path = f"/schedule/{weeks[0].starts_on}/"
    assert "Who could take this week" in text(signed_in(weeks[0].engineer).get(path))
    assert "Who could take this week" not in text(signed_in(weeks[1].engineer).get(path))


def test_only_the_engineer_and_admins_offer_a_week(signed_in, weeks, admin):
    assert signed_in(weeks[1].engineer).get(request_path(weeks[0])).status_code == 403
    assert signed_in(admin).post(request_path(weeks[0]), {}).status_code == 302
    assert SwapRequest.objects.get().requested_by == admin


@pytest.mark.parametrize("query", ["?rotation=weekly-rotation", "?rotation=x&week=2026-11-30", "?rotation=weekly-rotation&week=2026-02-31", "?week=%00"])  # fmt: skip
def test_an_unknown_week_is_a_404(signed_in, rotation, a, query):
    assert signed_in(a).get(f"/swaps/request/{query}").status_code == 404


def test_a_refused_request_shows_the_reason_and_keeps_the_input(signed_in, weeks):
    mine, theirs = weeks[0], weeks[1]
    create_holiday(mine.engineer, data=HolidayData(theirs.starts_on, theirs.starts_on), by=mine.engineer)
    browser = signed_in(mine.engineer)
    typed = {"wanted_week": str(theirs.starts_on), "message": "Please."}
    answer = browser.post(request_path(mine), typed)
    assert answer.status_code == 409
    assert "is away in the week" in text(answer)
    assert 'value="Please."' in text(answer)
    assert 'type="checkbox" name="acknowledge_conflicts"' in text(answer)
    assert browser.post(request_path(mine), {**typed, "acknowledge_conflicts": "on"}).status_code == 302


def test_declining_with_a_reason_and_withdrawing(signed_in, rotation, weeks, now):
    mine, theirs = weeks[0], weeks[1]
    swap = request_swap(
        rotation, proposal=SwapProposal(mine.starts_on, counterpart=theirs.engineer), by=mine.engineer, at=now
    )
    signed_in(theirs.engineer).post(f"/swaps/{swap.pk}/decline/", {"reason": "I am in Lisbon."})
    assert "I am in Lisbon." in text(signed_in(mine.engineer).get(f"/swaps/{swap.pk}/"))
    again = request_swap(rotation, proposal=SwapProposal(mine.starts_on), by=mine.engineer, at=now)
    assert signed_in(theirs.engineer).post(f"/swaps/{again.pk}/cancel/").status_code == 403
    assert signed_in(mine.engineer).post(f"/swaps/{again.pk}/cancel/").status_code == 302
    assert signed_in(mine.engineer).post(f"/swaps/{again.pk}/cancel/").status_code == 409


def test_an_admin_accepts_an_open_request_on_behalf(signed_in, rotation, weeks, admin, now):
    swap = request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=weeks[0].engineer, at=now)
    taker = weeks[2].engineer
    assert signed_in(admin).post(f"/swaps/{swap.pk}/accept/", {"engineer": taker.username}).status_code == 302
    assert holder(weeks[0]) == taker


def test_one_button_saves_time_off_and_requests_a_swap(signed_in, weeks):
    mine = weeks[1]
    browser = signed_in(mine.engineer)
    typed = {
        "starts_on": str(mine.starts_on + DAY),
        "ends_on": str(mine.starts_on + 3 * DAY),
        "kind": "holiday",
        "note": "",
    }
    page = browser.post("/calendar/add/", typed)
    assert "Who could take the week of" in text(page)
    [(affected, offers)] = page.context["suggestions"]
    answer = browser.post(
        "/calendar/add/", {**typed, "swap": f"{affected.rotation.slug} {offers.cards[0].button_value}"}
    )
    assert HolidayBlock.objects.get().engineer == mine.engineer
    swap = SwapRequest.objects.get()
    assert answer.headers["Location"] == f"/swaps/{swap.pk}/"
    assert swap.offered_week == mine.starts_on
    assert swap.counterpart.person == offers.cards[0].moves[0].taker


@each("value", ["", "weekly-rotation", "weekly-rotation tomorrow engineer-b", "weekly-rotation \0 \0"])
def test_a_malformed_swap_choice_saves_the_time_off_and_shows_an_error(signed_in, weeks, value):
    browser = signed_in(weeks[1].engineer)
    day = str(weeks[1].starts_on + DAY)
    answer = browser.post(
        "/calendar/add/", {"starts_on": day, "ends_on": day, "kind": "holiday", "swap": value}, follow=True
    )
    assert "was not sent" in text(answer)
    assert HolidayBlock.objects.count() == 1


# Covers


def test_taking_over_now_and_ending_the_cover(signed_in, rotation, weeks, a, b, c, d, now):
    running = rotation.weeks.filter(starts_at__lte=now, ends_at__gt=now).select_related("engineer").get()
    other = next(person for person in (a, b, c, d) if person != running.engineer)
    browser = signed_in(other)
    path = "/schedule/weekly-rotation/cover/"
    form = browser.get(path).context["form"]
    assert form["engineer"].value() == other.username
    typed = {
        "engineer": other.username,
        "starts_at": now.strftime("%Y-%m-%dT%H:%M"),
        "ends_at": running.ends_at.strftime("%Y-%m-%dT%H:%M"),
    }
    assert browser.post(path, typed).status_code == 302
    created = Cover.objects.get()
    assert (created.engineer, created.covered_engineer) == (other, running.engineer)
    assert "covering" in text(browser.get("/"))
    assert f"{other} covers for {running.engineer}" in text(browser.get("/schedule/"))
    stranger = next(person for person in (a, b, c, d) if person not in (other, running.engineer))
    assert signed_in(stranger).post(f"/covers/{created.pk}/end/").status_code == 403
    assert browser.post(f"/covers/{created.pk}/end/").status_code == 302
    assert not Cover.objects.filter(ends_at__gt=timezone.now()).exists()


def test_an_invalid_cover_keeps_the_input(signed_in, rotation, weeks):
    week = weeks[0]
    person = weeks[1].engineer
    typed = {
        "engineer": person.username,
        "starts_at": (week.starts_at + DAY).strftime("%Y-%m-%dT%H:%M"),
        "ends_at": week.starts_at.strftime("%Y-%m-%dT%H:%M"),
        "reason": "dentist",
    }
    answer = signed_in(person).post("/schedule/weekly-rotation/cover/", typed)
    assert answer.status_code == 400
    assert "must be after" in text(answer)
    assert 'value="dentist"' in text(answer)


# The planner


def test_an_admin_previews_and_applies_a_plan(signed_in, weeks, admin):
    person = weeks[2].engineer
    create_holiday(person, data=HolidayData(weeks[2].starts_on + DAY, weeks[2].starts_on + 2 * DAY), by=person)
    path = "/schedule/weekly-rotation/plan/"
    assert signed_in(person).get(path).status_code == 403
    browser = signed_in(admin)
    page = browser.get(path)
    moves = [f"{move.week}:{move.giver.username}:{move.taker.username}" for move, _ in page.context["moves"]]
    assert moves
    assert f"{person} is away" in text(page)
    assert browser.post(path, {"move": moves}).headers["Location"] == "/schedule/"
    assert holder(weeks[2]) != person
    assert set(SwapRequest.objects.values_list("state", "decided_by")) == {("accepted", admin.pk)}
    assert "No conflicts" in text(browser.get(path))
    refused = browser.post(path, {"move": moves}, follow=True)
    assert "Refresh the plan and try again." in text(refused)


def test_a_plan_cannot_give_a_week_to_its_own_engineer(signed_in, weeks, admin):
    person = weeks[2].engineer
    move = f"{weeks[2].starts_on}:{person.username}:{person.username}"
    answer = signed_in(admin).post("/schedule/weekly-rotation/plan/", {"move": [move]}, follow=True)
    assert "needs another engineer" in text(answer)
    assert not SwapRequest.objects.exists()


def test_an_impossible_plan_names_the_reason(signed_in, weeks, admin, a, b, c, d):
    first, last = weeks[2].starts_on + DAY, weeks[2].starts_on + 2 * DAY
    for person in (a, b, c, d):
        create_holiday(person, data=HolidayData(first, last), by=person)
    page = text(signed_in(admin).get("/schedule/weekly-rotation/plan/"))
    assert "No plan is possible while Engineer" in page


@each("moves", [[], ["x"], ["2026-11-30:1"], ["2026-11-30:a:b"], ["2026-11-30:engineer-a:engineer-b"] * 2])
def test_malformed_moves_change_nothing(signed_in, weeks, admin, moves):
    before = list(RotationWeek.objects.values_list("pk", "engineer"))
    answer = signed_in(admin).post("/schedule/weekly-rotation/plan/", {"move": moves}, follow=True)
    assert answer.status_code == 200
    assert list(RotationWeek.objects.values_list("pk", "engineer")) == before


def test_the_api_plans_and_applies(client, rotation, weeks, admin, a):
    person = weeks[2].engineer
    create_holiday(person, data=HolidayData(weeks[2].starts_on + DAY, weeks[2].starts_on + 2 * DAY), by=person)
    path = "/api/v1/rotations/weekly-rotation/plan/"
    assert client.get(path, **bearer(a)).status_code == 403
    plan = client.get(path, **bearer(admin)).json()
    assert (plan["exists"], plan["optimal"]) == (True, True)
    given = {"moves": plan["moves"]}
    assert client.post(f"{path}apply/", given, content_type=JSON, **bearer(a)).status_code == 403
    created = client.post(f"{path}apply/", given, content_type=JSON, **bearer(admin))
    assert created.status_code == 200, created.content
    assert {row["state"] for row in created.json()} == {"accepted"}
    assert client.post(f"{path}apply/", given, content_type=JSON, **bearer(admin)).status_code == 409
    assert client.post(f"{path}apply/", {"moves": []}, content_type=JSON, **bearer(admin)).status_code == 400


def test_the_api_previews_and_changes_a_roster(client, rotation, weeks, admin, a):
    path = "/api/v1/rotations/weekly-rotation/roster/"
    given = {"starts_on": str(weeks[1].starts_on), "engineers": ["engineer-d", "engineer-c"]}
    before = list(RotationWeek.objects.values_list("pk", "engineer"))
    preview = client.post(f"{path}preview/", given, content_type=JSON, **bearer(a)).json()
    assert list(RotationWeek.objects.values_list("pk", "engineer")) == before
    assert client.post(path, given, content_type=JSON, **bearer(a)).status_code == 403
    assert client.post(path, given, content_type=JSON, **bearer(admin)).json() == preview
    assert client.get("/api/v1/rotations/weekly-rotation/weeks/", **bearer(a)).json()["results"][3]["engineer"] in given["engineers"]  # fmt: skip
    for wrong in ({}, {"starts_on": "2026-13-01"}, {"starts_on": given["starts_on"], "engineers": ["nobody"]}, {"starts_on": "0001-01-01", "engineers": ["engineer-a"]}):  # fmt: skip
        assert client.post(path, wrong, content_type=JSON, **bearer(admin)).status_code == 400


def test_the_api_suggests_swaps_with_reasons(client, rotation, weeks, a):
    path = "/api/v1/swaps/suggestions/"
    rows = client.get(path, {"rotation": rotation.slug, "week": str(weeks[0].starts_on)}, **bearer(a)).json()["results"]
    assert rows[0]["kind"] == "two_way"
    assert rows[0]["moves"][0]["week"] == str(weeks[0].starts_on)
    assert set(rows[0]["moves"][0]) == {"week", "from", "to"}
    assert rows[0]["why"]
    assert [row["score"] for row in rows] == sorted((row["score"] for row in rows), reverse=True)
    for query, field in (
        ({}, "rotation"),
        ({"rotation": "x\0"}, "rotation"),
        ({"rotation": rotation.slug}, "week"),
        ({"rotation": rotation.slug, "week": "soon"}, "week"),
        ({"rotation": rotation.slug, "week": "2026-01-01"}, "week"),
    ):
        answer = client.get(path, query, **bearer(a))
        assert (answer.status_code, list(answer.json())) == (400, [field])


def test_the_impact_of_time_off_suggests_swaps_of_affected_weeks(client, weeks):
    mine = weeks[1]
    given = {"starts_on": str(mine.starts_on + DAY), "ends_on": str(mine.starts_on + 2 * DAY)}
    effects = client.post("/api/v1/holidays/preview/", given, content_type=JSON, **bearer(mine.engineer)).json()
    assert {row["week"] for row in effects["suggestions"]} == {str(mine.starts_on)}
    assert effects["suggestions"][0]["moves"][0]["from"] == mine.engineer.username


# In the admin


def test_the_admin_creates_edits_and_deletes_time_off(signed_in, rotation, admin, a, b):
    browser = signed_in(admin)
    typed = {"engineer": a.pk, "starts_on": "2027-01-04", "ends_on": "2027-01-08", "starts_at_time": "", "ends_at_time": "", "kind": "sick", "note": ""}  # fmt: skip
    wrong = browser.post("/admin/scheduling/holidayblock/add/", {**typed, "ends_on": "2027-01-01"})
    assert "is before the first day" in text(wrong)
    assert browser.post("/admin/scheduling/holidayblock/add/", typed).status_code == 302
    block = HolidayBlock.objects.get()
    assert (block.engineer, block.ends_at.isoformat()) == (a, "2027-01-09T00:00:00+00:00")
    browser.post(
        f"/admin/scheduling/holidayblock/{block.pk}/change/", {**typed, "engineer": b.pk, "ends_on": "2027-01-09"}
    )
    block = HolidayBlock.objects.get()
    assert (block.engineer, block.ends_at.isoformat()) == (a, "2027-01-10T00:00:00+00:00")
    browser.post(f"/admin/scheduling/holidayblock/{block.pk}/delete/", {"post": "yes"})
    assert not HolidayBlock.objects.exists()


def test_the_admin_creates_and_ends_a_cover(signed_in, rotation, weeks, admin):
    week, other = weeks[0], weeks[1].engineer
    browser = signed_in(admin)
    typed = {
        "rotation": rotation.pk, "engineer": other.pk, "reason": "",
        "starts_at_0": str(week.starts_on + DAY), "starts_at_1": "00:00", "ends_at_0": str(week.starts_on + 2 * DAY), "ends_at_1": "00:00",
    }  # fmt: skip
    wrong = browser.post("/admin/scheduling/cover/add/", {**typed, "engineer": week.engineer.pk})
    assert "already on call then" in text(wrong)
    assert not Cover.objects.exists()
    assert browser.post("/admin/scheduling/cover/add/", typed).status_code == 302
    created = Cover.objects.get()
    assert (created.engineer, created.covered_engineer, created.created_by) == (other, week.engineer, admin)
    browser.post("/admin/scheduling/cover/", {"action": "end", "_selected_action": [created.pk]})
    assert not Cover.objects.exists()


def test_the_admin_accepts_and_withdraws_swaps(signed_in, rotation, weeks, admin, now):
    one = request_swap(
        rotation, proposal=SwapProposal(weeks[0].starts_on, weeks[1].starts_on), by=weeks[0].engineer, at=now
    )
    two = request_swap(rotation, proposal=SwapProposal(weeks[2].starts_on), by=weeks[2].engineer, at=now)
    browser = signed_in(admin)
    page = browser.post(
        "/admin/scheduling/swaprequest/", {"action": "accept", "_selected_action": [one.pk, two.pk]}, follow=True
    )
    assert "accepted on behalf" in text(page)
    assert "open to anyone" in text(page)
    browser.post("/admin/scheduling/swaprequest/", {"action": "withdraw", "_selected_action": [two.pk]})
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.state, two.state) == ("accepted", "cancelled")


def test_the_admin_lists_swaps_covers_and_time_off(signed_in, rotation, weeks, admin, now):
    request_swap(rotation, proposal=SwapProposal(weeks[0].starts_on), by=weeks[0].engineer, at=now)
    create_cover(rotation, data=CoverData(weeks[1].engineer, weeks[0].starts_at, weeks[0].ends_at), by=admin, at=now)
    for name in ("swaprequest", "cover", "holidayblock"):
        assert signed_in(admin).get(f"/admin/scheduling/{name}/").status_code == 200


def test_a_roster_preview_lists_the_swaps_it_cancels(signed_in, rotation, weeks, admin, now):
    one, two = weeks[1], weeks[2]
    created = request_swap(rotation, proposal=SwapProposal(one.starts_on, two.starts_on), by=one.engineer, at=now)
    accept_swap(created, by=two.engineer, at=now)
    typed = {"starts_on": str(one.starts_on), "engineers": f"{two.engineer.username}\n{weeks[3].engineer.username}"}
    page = text(signed_in(admin).post("/schedule/weekly-rotation/roster/", typed))
    assert "These swaps will be cancelled" in page
    assert f'href="/swaps/{created.pk}/"' in page


def test_the_history_shows_states_by_their_labels(signed_in, rotation, weeks, now):
    mine = weeks[0]
    swap = request_swap(rotation, proposal=SwapProposal(mine.starts_on), by=mine.engineer, at=now)
    assert signed_in(mine.engineer).post(f"/swaps/{swap.pk}/cancel/").status_code == 302
    page = text(signed_in(mine.engineer).get(f"/swaps/{swap.pk}/"))
    assert "State: <del>Open</del> → <ins>Withdrawn</ins>" in page
