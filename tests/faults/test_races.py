"""Promises 1 to 5: simultaneous acceptances, holidays, rosters, covers and leavers, over HTTP, with real web processes."""

import collections
import contextlib
import datetime as dt
import itertools
import json
import random
import subprocess
import sys

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from people.models import ApiToken
from people.services.accounts import create_token
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation
from scheduling.services.weeks import ensure_weeks
from tests.factories import current_monday, make_engineer, make_pipeline
from tests.faults.caller import Caller, at_once, close_callers
from tests.faults.web import ROOT

# On one worker of xdist, so that the web processes start once.
pytestmark = [
    pytest.mark.faults,
    pytest.mark.timeout(900),
    pytest.mark.django_db(transaction=True),
    pytest.mark.xdist_group("web"),
]

ENGINEERS = 21
DAY = dt.timedelta(days=1)
# What must hold after every commit, checked by the database itself when a transaction ends.
INVARIANTS = """
CREATE OR REPLACE FUNCTION check_weeks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM (SELECT ends_at, lead(starts_at) OVER (ORDER BY starts_on) AS following
               FROM scheduling_rotationweek WHERE rotation_id = NEW.rotation_id) week WHERE following <> ends_at) THEN
    RAISE EXCEPTION 'weeks of rotation % do not meet', NEW.rotation_id;
  END IF;
  IF EXISTS (SELECT 1 FROM scheduling_rotationweek week JOIN people_user ON people_user.id = week.engineer_id
              WHERE week.rotation_id = NEW.rotation_id AND week.starts_at > now() AND NOT is_active) THEN
    RAISE EXCEPTION 'a week of rotation % is held by somebody inactive', NEW.rotation_id;
  END IF;
  RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION check_leaver() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT NEW.is_active AND (
    EXISTS (SELECT 1 FROM scheduling_rotationweek WHERE engineer_id = NEW.id AND starts_at > now()) OR
    EXISTS (SELECT 1 FROM scheduling_cover WHERE engineer_id = NEW.id AND starts_at > now())) THEN
    RAISE EXCEPTION '% is inactive and on call', NEW.username;
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER weeks_checked AFTER INSERT OR UPDATE ON scheduling_rotationweek
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_weeks();
CREATE CONSTRAINT TRIGGER leaver_checked AFTER UPDATE ON people_user
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_leaver();
"""
DROPPED = """
DROP TRIGGER IF EXISTS weeks_checked ON scheduling_rotationweek; DROP TRIGGER IF EXISTS leaver_checked ON people_user;
"""


class World:
    """A rotation of many engineers with a pipeline, each with a caller of the API."""

    def __init__(self, address, *, engineers=ENGINEERS):
        self.address = address
        self.admin = make_engineer("Admin", is_staff=True)
        self.people = [make_engineer(f"Engineer {number:02}") for number in range(engineers)]
        self.secrets = {user.pk: create_token(user, name="races").secret for user in self.people}
        self.secrets[self.admin.pk] = create_token(self.admin, name="races", scope=ApiToken.Scope.ADMIN).secret
        self.call = {key: Caller(address, secret) for key, secret in self.secrets.items()}
        self.rotation = import_rotation(RotationText("Races", "", "Policy", "", ()), time_zone="UTC")
        at = timezone.now()
        set_roster(self.rotation, engineers=self.people, starts_on=current_monday(at), at=at)
        make_pipeline("Pipeline", primary=self.people[0], secondary=self.people[1])

    def weeks(self):
        rows = self.rotation.weeks.filter(starts_at__gt=timezone.now() + dt.timedelta(minutes=10))
        return list(rows.select_related("engineer").order_by("starts_on"))

    def reset(self):
        SwapRequest.objects.all().delete()
        HolidayBlock.objects.all().delete()
        Cover.objects.all().delete()
        CoverRequest.objects.all().delete()
        for week in self.rotation.weeks.all():
            if week.engineer_id != week.planned_engineer_id:
                self.rotation.weeks.filter(pk=week.pk).update(engineer=week.planned_engineer_id)

    def ask(self, week, **asked):
        given = {"rotation": self.rotation.slug, "offered_week": str(week.starts_on), **asked}
        status, row = self.call[week.engineer_id]("POST", "swaps/", **given)
        assert status == 201, row
        return row


def holder(week):
    return RotationWeek.objects.get(pk=week.pk).engineer_id


# 1 and 2


def check_one_winner(address, *, rounds):
    """One request to anyone, accepted by twenty at once: one wins, nineteen get the reason."""
    world = World(address)
    for number in range(rounds):
        world.reset()
        week = world.weeks()[number % 20]
        swap = world.ask(week)
        others = [user for user in world.people if user.pk != week.engineer_id]
        answers = at_once(
            [lambda user=user: world.call[user.pk]("POST", f"swaps/{swap['id']}/accept/") for user in others]
        )
        statuses = collections.Counter(status for status, _ in answers)
        assert statuses == {200: 1, 409: 19}, statuses
        winner = next(user for user, (status, _) in zip(others, answers, strict=True) if status == 200)
        assert holder(week) == winner.pk
        assert all("already" in body["detail"] for status, body in answers if status == 409)


def check_one_of_two(address, *, rounds):
    """Two requests that touch one week, accepted at once: one wins, the other gets the reason, and nothing is half done."""
    world = World(address)
    for number in range(rounds):
        world.reset()
        one, two, three = (world.weeks()[(number + step) % 20] for step in (0, 1, 2))
        with_two = world.ask(one, wanted_week=str(two.starts_on))
        with_three = world.ask(three, wanted_week=str(one.starts_on))
        answers = at_once(
            [
                lambda: world.call[two.engineer_id]("POST", f"swaps/{with_two['id']}/accept/"),
                lambda: world.call[one.engineer_id]("POST", f"swaps/{with_three['id']}/accept/"),
            ]
        )
        statuses = sorted(status for status, _ in answers)
        assert statuses == [200, 409], answers
        first_won = answers[0][0] == 200
        expected = (
            (two.engineer_id, one.engineer_id, three.engineer_id)
            if first_won
            else (three.engineer_id, two.engineer_id, one.engineer_id)
        )
        assert tuple(holder(week) for week in (one, two, three)) == expected
        states = sorted(SwapRequest.objects.values_list("state", flat=True))
        assert states == ["accepted", "void"]


def check_cover_parts(address, *, rounds):
    """A cover request to anyone: twenty accept it whole and in overlapping halves at once; no instant is covered twice or lost."""
    world = World(address)
    hour = dt.timedelta(hours=1)
    for number in range(rounds):
        world.reset()
        week = world.weeks()[number % 20]
        start, end = week.starts_at + 24 * hour, week.starts_at + 36 * hour
        asked = {"rotation": world.rotation.slug, "starts_at": start.isoformat(), "ends_at": end.isoformat()}
        status, row = world.call[week.engineer_id]("POST", "cover-requests/", **asked)
        assert status == 201, row
        url = f"cover-requests/{row['id']}/accept/"
        # Eight hours from one of five starts: every two overlap.
        parts = [
            {"starts_at": (start + at * hour).isoformat(), "ends_at": (start + (at + 8) * hour).isoformat()}
            for at in range(5)
        ]
        others = [user for user in world.people if user.pk != week.engineer_id]
        answers = at_once(
            [
                lambda user=user, part=part: world.call[user.pk]("POST", url, **part)
                for user, part in zip(others, parts * 4, strict=True)
            ]
        )
        statuses = collections.Counter(status for status, _ in answers)
        assert statuses == {200: 1, 409: 19}, statuses
        rest = at_once([lambda user=user: world.call[user.pk]("POST", url) for user in others])
        assert collections.Counter(status for status, _ in rest) == {200: 1, 409: 19}, rest
        covers = list(Cover.objects.filter(request=row["id"]).order_by("starts_at"))
        edges = [(cover.starts_at, cover.ends_at) for cover in covers]
        assert (edges[0][0], edges[-1][1]) == (start, end)
        assert all(before[1] == after[0] for before, after in itertools.pairwise(edges))
        assert CoverRequest.objects.get(pk=row["id"]).state == "accepted"


# 3


def check_acceptance_against_others(address, *, rounds):
    """An acceptance against a new holiday of the acceptor, or a new roster: the second always knows of the first."""
    world = World(address)
    both = 0
    for number in range(rounds):
        world.reset()
        weeks = world.weeks()
        one, two = weeks[number % 18], weeks[number % 18 + 1]
        swap = world.ask(one, wanted_week=str(two.starts_on))
        acceptor = Caller(address, world.secrets[two.engineer_id])
        accept = lambda: acceptor("POST", f"swaps/{swap['id']}/accept/")  # noqa: E731
        if number % 2:
            day = str(one.starts_on + DAY)
            accepted, blocked = at_once(
                [accept, lambda: world.call[two.engineer_id]("POST", "holidays/", starts_on=day, ends_on=day)]
            )
            assert blocked[0] == 201
            if accepted[0] == 200:
                both += 1
                hit = {row["week"] for row in blocked[1]["effects"]["weeks"]}
                assert str(one.starts_on) in hit, "the block did not know of the acceptance before it"
            else:
                assert accepted[0] == 409
                assert accepted[1]["conflicts"][0]["starts_on"] == day
                assert (holder(one), holder(two)) == (one.engineer_id, two.engineer_id)
        else:
            order = [user.username for user in world.people]
            random.Random(number).shuffle(order)
            accepted, changed = at_once(
                [
                    accept,
                    lambda: world.call[world.admin.pk](
                        "POST",
                        f"rotations/{world.rotation.slug}/roster/",
                        starts_on=str(weeks[0].starts_on),
                        engineers=order,
                    ),
                ]
            )
            assert changed[0] == 200, changed
            check_holders(world, swap, accepted, one, two)
    return both


def check_holders(world, swap, accepted, one, two):
    row = SwapRequest.objects.get(pk=swap["id"])
    planned = dict(world.rotation.weeks.values_list("pk", "planned_engineer"))
    held = dict(world.rotation.weeks.values_list("pk", "engineer"))
    if row.state == "accepted":
        assert accepted[0] == 200
        assert (held[one.pk], held[two.pk]) == (two.engineer_id, one.engineer_id)
        held |= {one.pk: planned[one.pk], two.pk: planned[two.pk]}
    else:
        assert row.state == "void"
        assert row.reason
    assert held == planned


# 4


def run_processes(world, *, operations, processes):
    """Run the random changes in that many processes at once; return how often each status was answered to what."""
    running = []
    for seed in range(processes):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.operations"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        given = {"slug": world.rotation.slug, "seed": seed, "count": operations // processes}
        process.stdin.write(json.dumps({"address": world.address, "secret": world.secrets[world.admin.pk], **given}))
        process.stdin.close()
        running.append(process)
    seen = collections.Counter()
    for process in running:
        with process.stdout:
            output = process.stdout.read()
        assert process.wait() == 0
        for what, status, number in json.loads(output):
            seen[what, status] += number
    return seen


def check_mixed(address, *, operations, processes=8):
    """Random changes from eight processes: after every commit weeks meet, each has one active engineer; no deadlock, no 5xx."""
    world = World(address, engineers=12)
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        before = cursor.fetchone()[0]
        cursor.execute(INVARIANTS)
    try:
        seen = run_processes(world, operations=operations, processes=processes)
    finally:
        with connection.cursor() as cursor:
            cursor.execute(DROPPED)
    failures = {key: number for key, number in seen.items() if key[1] >= 500}
    assert not failures, failures
    done = collections.Counter()
    for (what, status), number in seen.items():
        done[what] += number if status < 300 else 0
    for what in ("ask", "accept", "block", "cover", "roster", "deactivate"):
        assert done[what], f"no {what} ever succeeded: {seen}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert cursor.fetchone()[0] == before
    for rotation in Rotation.objects.all():
        assert ensure_weeks(rotation, today=timezone.now().date()) == 0
    return seen


# 5


def check_leavers(address, *, rounds):
    """Somebody who is deactivated is on call for nothing from that answer on; session and token are dead."""
    world = World(address, engineers=5)
    admin = world.call[world.admin.pk]
    for _ in range(rounds):
        world.reset()
        at = timezone.now()
        set_roster(world.rotation, engineers=world.people, starts_on=current_monday(at), at=at)
        leaver = RotationWeek.objects.get(starts_at__lte=at, ends_at__gt=at).engineer
        browser = Client(SERVER_NAME="localhost")
        browser.force_login(leaver)
        assert admin("POST", f"people/{leaver.username}/deactivate/")[0] == 200
        on_call = admin("GET", "oncall/")[1]["results"][0]
        assert on_call["engineer"] != leaver.username
        assert on_call["available"]
        assert on_call["next"]["engineer"] != leaver.username
        weeks = admin("GET", f"rotations/{world.rotation.slug}/weeks/?page_size=500")[1]["results"]
        assert leaver.username not in {
            week["engineer"] for week in weeks if dt.datetime.fromisoformat(week["starts_at"]) > at
        }
        for row in admin("GET", "responders/")[1]["results"]:
            assert row["responder"] != leaver.username
            assert not any(link["available"] for link in row["chain"] if link["engineer"] == leaver.username)
        assert world.call[leaver.pk]("GET", "oncall/")[0] == 401
        assert browser.get("/").status_code == 302
        assert admin("POST", f"people/{leaver.username}/reactivate/")[0] == 200


@pytest.fixture
def address(transactional_db, web_processes):
    with contextlib.closing(connection):
        yield web_processes
    close_callers()


def test_of_twenty_simultaneous_acceptances_one_wins(address):
    check_one_winner(address, rounds=2)


def test_of_two_swaps_that_touch_a_week_one_wins(address):
    check_one_of_two(address, rounds=4)


def test_no_part_of_a_cover_request_is_accepted_twice(address):
    check_cover_parts(address, rounds=2)


def test_an_acceptance_against_a_holiday_or_a_roster(address):
    check_acceptance_against_others(address, rounds=4)


def test_random_changes_from_eight_processes_leave_the_weeks_whole(address):
    check_mixed(address, operations=160)


def test_a_leaver_is_on_call_for_nothing_from_that_commit_on(address):
    check_leavers(address, rounds=2)
