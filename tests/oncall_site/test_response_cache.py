"""Answers about who is on call that a web process remembers are the ones that it would give afresh.

The proof: after each of many random changes, through the services and past them, every kind of question gets the same answer
with a token, which may come from memory, as with a session, which never does. `make faults` makes ten thousand changes.
"""

import datetime as dt
import itertools
import json
import random
from collections import Counter

import pgtrigger
import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from common import response_cache
from common.exceptions import DomainError
from common.response_cache import RESPONSE_CACHE, empty_cache
from common.version_cache import VersionCache
from oncall_site import middleware
from people.models import ApiToken, User
from people.queries import find_caller
from people.services.accounts import create_token
from pipelines.models import Pipeline
from pipelines.services import Owners, change_owners
from scheduling.api.rotations import IntervalSerializer
from scheduling.models import (
    Cover,
    HolidayBlock,
    PipelineRotation,
    Roster,
    RosterMember,
    Rotation,
    RotationWeek,
)
from scheduling.queries.on_call import rotation_timeline
from scheduling.services.covers import CoverData, create_cover, end_cover
from scheduling.services.holidays import HolidayData, create_holiday, delete_holiday
from scheduling.services.offboarding import deactivate, reactivate
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import archive_rotation, create_rotation, move_pipeline, update_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from tests.each import each
from tests.factories import bearer, current_monday, import_example, make_engineer, make_pipeline
from tests.snapshots import this_minute
from tests.statements import writing

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
ONCALL, RESPONDERS = "/api/v1/oncall/", "/api/v1/responders/"
# `make faults` makes ten thousand changes.
OPERATIONS = 40
REFUSED = (DomainError, ValidationError, IntegrityError)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")

# The first day of a shift, in the week before the clocks change in Europe. In the past of the database's clock, so that the history
# can be dated by the world's.
START = dt.datetime(2025, 10, 20, 8, 40, tzinfo=dt.UTC)


class CountingCache(VersionCache):
    def __init__(self):
        super().__init__(max_bytes=response_cache.MAX_CACHE_BYTES, size=lambda cached: cached.size)
        self.counts = Counter()

    def find(self, key, **question):
        answer = super().find(key, **question)
        self.counts["from memory" if answer else "afresh"] += 1
        return answer


class World:
    """A site on a clock of its own, random changes to its facts, and random questions."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.at = START
        monday = self.at.date() - dt.timedelta(days=self.at.weekday())
        import_example(at=self.at, starting=monday)
        self.admin = User.objects.filter(is_staff=True).first() or make_engineer("Admin", is_staff=True)
        for name in ("Engineer E", "Engineer F"):
            make_engineer(name)
        alone = make_pipeline("Alone", primary=self.person(), secondary=self.admin)
        move_pipeline(alone, rotation=None)
        self.token, self.session = Client(**bearer(self.admin)), Client()
        self.session.force_login(self.admin)
        self.instants = [self.at + HOUR * self.random.randint(-500, 2000) for _ in range(12)]
        self.date_history()

    def date_history(self):
        """Date the newest entries of the history by this clock: in one transaction the database's stands still."""
        with pgtrigger.ignore():
            for model in (Pipeline, PipelineRotation):
                model.pgh_event_model.objects.filter(pgh_created_at__gt=self.at).update(pgh_created_at=self.at)

    def one(self, rows):
        return self.random.choice(rows.order_by("pk"))

    def person(self):
        return self.one(User.objects.filter(is_active=True).exclude(pk=self.admin.pk))

    def rotation(self):
        return self.one(Rotation.objects.active())

    def week(self, rotation):
        return self.random.choice(rotation.weeks.filter(starts_at__gt=self.at).order_by("starts_on")[:6])

    def cover(self):
        starts_at = self.at + HOUR * self.random.randint(0, 300)
        data = CoverData(self.person(), starts_at, starts_at + HOUR * self.random.randint(1, 250))
        create_cover(self.rotation(), data=data, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def end_cover(self):
        end_cover(self.one(Cover.objects.filter(ends_at__gt=self.at)), by=self.admin, at=self.at)

    def swap(self):
        rotation = self.rotation()
        days = self.week(rotation).starts_on, self.week(rotation).starts_on
        proposal = SwapProposal(*days, acknowledge_conflicts=True)
        swap = request_swap(rotation, proposal=proposal, by=self.admin, at=self.at)
        accept_swap(swap, by=self.admin, at=self.at, acknowledge_conflicts=True)

    def roster(self):
        rotation, people = self.rotation(), list(User.objects.filter(is_active=True).order_by("pk"))
        engineers = self.random.sample(people, self.random.randint(1, len(people)))
        change_roster(rotation, engineers=engineers, starts_on=self.week(rotation).starts_on, by=self.admin, at=self.at)

    def hours(self):
        update_rotation(
            self.rotation(),
            by=self.admin,
            at=self.at,
            time_zone=self.random.choice(ZONES),
            handoff_time=dt.time(self.random.randint(0, 23)),
            handoff_weekday=self.random.choice([None, *range(7)]),
        )

    def leave(self):
        if User.objects.filter(is_active=True).count() > 4:
            deactivate(self.person(), by=self.admin, at=self.at)

    def come_back(self):
        reactivate(self.one(User.objects.filter(is_active=False)), by=self.admin)

    def time_off(self):
        person, day = self.person(), self.at.date() + dt.timedelta(days=self.random.randint(0, 9))
        create_holiday(person, data=HolidayData(day, day + DAY * self.random.randint(0, 5)), by=person)

    def no_time_off(self):
        delete_holiday(self.one(HolidayBlock.objects.filter(ends_at__gt=self.at)), by=self.admin)

    def owners(self):
        pipeline = self.one(Pipeline.objects.all())
        change_owners({pipeline: Owners(primary=self.person(), secondary=self.person())})

    def move(self):
        move_pipeline(self.one(Pipeline.objects.all()), rotation=self.random.choice([None, self.rotation()]))

    def new_pipeline(self):
        if Pipeline.objects.count() < 12:
            make_pipeline(
                f"No. {Pipeline.objects.count()}",
                primary=self.person(),
                secondary=self.person(),
                position=self.random.randint(0, 9),
            )

    def new_rotation(self):
        if Rotation.objects.active().count() < 4:
            create_rotation(
                name=f"Rotation {Rotation.objects.count()}", engineers=[self.person()], by=self.admin, at=self.at
            )

    def archive(self):
        if Rotation.objects.active().count() > 2:
            archive_rotation(self.rotation(), by=self.admin, at=self.at)

    def past_the_services(self):
        """Change rows as an import, a script or an admin's action might: no service says that anything changed."""
        number = self.random.randint(0, 99_999)
        self.random.choice(
            [
                lambda: User.objects.filter(pk=self.person().pk).update(username=f"renamed-{number}"),
                lambda: Rotation.objects.filter(pk=self.rotation().pk).update(slug=f"rotation-{number}"),
                lambda: Pipeline.objects.filter(slug="alone").update(position=number % 9),
                lambda: HolidayBlock.objects.update(kind=self.random.choice(HolidayBlock.Kind.values)),
                lambda: self.one(Cover.objects.all()).delete(),
                lambda: RotationWeek.objects.filter(pk=self.week(self.rotation()).pk).update(engineer=self.person()),
                lambda: self.one(RosterMember.objects.all()).delete(),
                lambda: self.one(PipelineRotation.objects.all()).delete(),
                lambda: Roster.objects.filter(pk=self.one(Roster.objects.all()).pk).update(starts_on=self.at.date()),
            ]
        )()

    CHANGES = (
        *([cover] * 4),
        *(end_cover, swap, swap, roster, hours, leave, come_back, come_back, time_off, time_off, no_time_off),
        *(owners, owners, move, move, new_pipeline, new_rotation, archive, *([past_the_services] * 4)),
    )

    def change(self):
        """Make a random change; return its name, or "refused"."""
        change = self.random.choice(self.CHANGES)
        try:
            with transaction.atomic():
                change(self)
        except (*REFUSED, IndexError):
            return "refused"
        finally:
            self.date_history()
        return change.__name__

    def question(self):
        slug = self.one(Pipeline.objects.all()).slug
        path = self.random.choice(
            [ONCALL, ONCALL, RESPONDERS, f"{ONCALL}?page_size=1", f"{RESPONDERS}?page_size=3&page=2"]
            + [f"/api/v1/pipelines/{slug}/responder/"] * 3
        )
        return path, self.random.choice([None, self.random.choice(self.instants)])

    def compare(self, path, instant):
        if instant is not None:
            # Another instant each time, so that an answer's whole period is used.
            at = instant + HOUR * self.random.random()
            path = f"{path}{'&' if '?' in path else '?'}at={at.isoformat().replace('+00:00', 'Z')}"
        known, fresh = self.token.get(path), self.session.get(path)
        assert (known.status_code, known.content) == (fresh.status_code, fresh.content), path
        assert known.headers.get("ETag") == fresh.headers.get("ETag"), path


def check_answers(*, operations, seed):
    """Change a world that often, and compare answers after each change; return how many came from memory and not."""
    RESPONSE_CACHE.clear()
    with pytest.MonkeyPatch.context() as patch:
        cache = CountingCache()
        patch.setattr(middleware, "RESPONSE_CACHE", cache)
        world, done = World(seed), Counter()
        patch.setattr("django.utils.timezone.now", lambda: world.at)
        for _ in range(operations):
            done[world.change()] += 1
            question = world.question()
            for hours in (0.001, 0.1, world.random.choice([0.5, 5])):
                world.compare(*question)
                world.at += HOUR * hours
    assert done.total() - done["refused"] > operations / 2, done
    assert cache.counts["from memory"] > cache.counts["afresh"] / 2, cache.counts
    return cache.counts


def test_after_random_changes_an_answer_from_memory_is_the_one_given_afresh(db):
    check_answers(operations=OPERATIONS, seed=0)


@pytest.fixture
def site(db):
    at = this_minute()
    import_example(at=at, starting=current_monday(at))
    return Rotation.objects.get()


@pytest.fixture(autouse=True)
def _nothing_in_memory():
    RESPONSE_CACHE.clear()


def counted(client, path, **headers):
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path, headers=headers)
    return response, [row["sql"] for row in captured]


@pytest.fixture
def script(a):
    client = Client(**bearer(a))
    ApiToken.objects.update(last_used_at=timezone.now())
    return client


@pytest.mark.parametrize(
    "path", [ONCALL, RESPONDERS, "/api/v1/pipelines/daily-growth-experiment-focused/responder/", f"{ONCALL}?page=1"]
)
def test_the_same_question_again_costs_one_statement(site, script, path):
    first, statements = counted(script, path)
    assert len(statements) > 1
    again, statements = counted(script, path)
    assert len(statements) == 1
    assert again.status_code == first.status_code == 200
    ignored = {"X-Request-ID", "Content-Length"}
    assert {**again.headers, **dict.fromkeys(ignored)} == {**first.headers, **dict.fromkeys(ignored)}
    rows, [rows_again] = [[answer.json()] for answer in (first, again)]
    assert json.dumps(rows) != json.dumps([rows_again])
    at = first.json()["results"][0]["at"] if "results" in first.json() else first.json()["at"]
    at_again = rows_again["results"][0]["at"] if "results" in rows_again else rows_again["at"]
    assert at < at_again
    assert again.content.decode().replace(at_again, at) == first.content.decode()


def test_an_instant_between_the_same_changes_is_answered_from_memory(site, script):
    at = site.weeks.order_by("starts_on")[5].starts_at
    script.get(ONCALL, {"at": at.isoformat()})
    later = at + 3 * HOUR
    answer, statements = counted(script, f"{ONCALL}?at={later.isoformat().replace('+00:00', 'Z')}")
    assert len(statements) == 1
    assert dt.datetime.fromisoformat(answer.json()["results"][0]["at"]) == later


def test_an_answer_ends_when_it_says(site, script, monkeypatch):
    until = dt.datetime.fromisoformat(script.get(ONCALL).json()["results"][0]["until"])
    monkeypatch.setattr("django.utils.timezone.now", lambda: until)
    answer, statements = counted(script, ONCALL)
    assert len(statements) > 1
    assert dt.datetime.fromisoformat(answer.json()["results"][0]["starts_at"]) == until


FACTS = {
    "people_user": "UPDATE people_user SET is_active = is_active",
    "people_user, name": "UPDATE people_user SET username = username",
    "pipelines_pipeline": "UPDATE pipelines_pipeline SET position = position",
    "scheduling_pipelinerotation": "DELETE FROM scheduling_pipelinerotation",
    "scheduling_rotation": "UPDATE scheduling_rotation SET name = name",
    "scheduling_roster": "UPDATE scheduling_roster SET starts_on = starts_on",
    "scheduling_rostermember": "DELETE FROM scheduling_rostermember",
    "scheduling_rotationweek": "DELETE FROM scheduling_rotationweek",
    "scheduling_cover": "TRUNCATE scheduling_cover",
    "scheduling_holidayblock": "DELETE FROM scheduling_holidayblock",
}


def version(token):
    return find_caller(token.secret, at=timezone.now()).version


@each("fact", FACTS)
def test_each_fact_changes_the_version_in_its_transaction(site, a, fact):
    token = create_token(a, name="script")
    before = version(token)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FACTS[fact])
            assert version(token) != before
            raise InterruptedError
    except InterruptedError:
        assert version(token) == before


def test_what_no_answer_names_does_not_change_the_version(site, a):
    token = create_token(a, name="script")
    before = version(token)
    User.objects.filter(pk=a.pk).update(last_login=timezone.now(), email="a@example.org")
    create_token(a, name="another")
    assert version(token) == before


@pytest.mark.django_db(transaction=True)
def test_transactions_do_not_wait_for_each_other_and_the_rows_stay_few(a, b):
    token = create_token(a, name="script")
    User.objects.filter(pk=a.pk).update(username="renamed-a")
    seen = [version(token)]
    other = connection.copy()
    try:
        with transaction.atomic(), other.cursor() as cursor:
            User.objects.filter(pk=a.pk).update(username="renamed-again")
            cursor.execute("SET lock_timeout = '20s'")
            cursor.execute("UPDATE people_user SET username = 'renamed-b' WHERE id = %s", [b.pk])
            cursor.execute("SELECT count(*) FROM people_oncallversion")
            assert cursor.fetchone() == (2,)
            seen.append(version(token))
        seen.append(version(token))
    finally:
        other.close()
    User.objects.filter(pk=a.pk).update(username="engineer-a")
    seen.append(version(token))
    # A transaction sees its own change before it commits.
    assert len({*seen}) == 3
    assert seen[1] == seen[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM people_oncallversion")
        assert cursor.fetchone() == (1,)


def test_each_web_process_sees_the_change_of_another(site, script, a, monkeypatch):
    processes = [empty_cache(), empty_cache()]
    for name in ("engineer-a", "renamed-a"):
        User.objects.filter(pk=a.pk).update(username=name)
        for process in (*processes, *processes):
            monkeypatch.setattr(middleware, "RESPONSE_CACHE", process)
            [row] = script.get(ONCALL).json()["results"]
            assert row["engineer"] == name


@pytest.mark.parametrize("path", [ONCALL, RESPONDERS])
def test_an_unchanged_answer_is_a_304(site, script, signed_in, a, path):
    first = script.get(path)
    etag = first.headers["ETag"]
    assert first.headers["Cache-Control"] == "private, no-cache"
    for client in (script, signed_in(a)):
        again = client.get(path, headers={"if-none-match": f'"other", {etag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert "Content-Type" not in again.headers
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    person = User.objects.get(pk=RotationWeek.objects.order_by("starts_at").first().engineer_id)
    User.objects.filter(pk=person.pk).update(username="renamed")
    changed = script.get(path, headers={"if-none-match": etag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag


def test_a_token_that_is_no_longer_valid_gets_no_answer_from_memory(site, script, a):
    assert script.get(ONCALL).status_code == 200
    ApiToken.objects.update(revoked_at=timezone.now())
    assert script.get(ONCALL).status_code == 401
    ApiToken.objects.update(revoked_at=None, expires_at=timezone.now() + HOUR)
    assert script.get(ONCALL).status_code == 200
    User.objects.filter(pk=a.pk).update(is_active=False)
    assert script.get(ONCALL).status_code == 401
    assert Client().get(ONCALL).status_code == 401


def test_what_a_client_accepts_and_how_it_asks_is_respected(site, script):
    script.get(ONCALL)
    assert script.get(ONCALL, headers={"accept": "text/html"}).status_code == 406
    indented = script.get(ONCALL, headers={"accept": "application/json; indent=4"})
    assert b'\n    "count": 1' in indented.content
    assert b"\n" not in script.get(ONCALL, headers={"accept": "application/json"}).content
    assert script.get(f"{ONCALL}?page=7").status_code == 404
    assert script.get(f"{ONCALL}?at=never").status_code == 400
    assert script.post(ONCALL).status_code == 405


def test_each_host_has_its_own_links_and_one_that_is_not_the_sites_is_refused(site, script, settings):
    settings.ALLOWED_HOSTS = ["one.example", "other.example"]
    path = f"{RESPONDERS}?page_size=2"
    for _ in range(2):
        for host in settings.ALLOWED_HOSTS:
            assert script.get(path, headers={"host": host}).json()["next"].startswith(f"http://{host}/")
        assert script.get(path, headers={"host": "evil.example"}).status_code == 400


def test_a_link_to_the_next_page_names_the_instant_that_was_asked_for(site, script):
    at = timezone.now() + 9 * HOUR
    for instant in (at, at + HOUR / 60):
        text = instant.isoformat().replace("+00:00", "Z")
        body = script.get(f"{RESPONDERS}?page_size=2&at={text}").json()
        assert text.replace(":", "%3A") in body["next"]


def test_the_last_use_of_a_token_is_stored_once_in_five_minutes_without_the_request_s_context(site, a, client):
    token = create_token(a, name="script")
    headers = {"authorization": f"Bearer {token.secret}"}
    for path in ("/api/v1/people/", ONCALL):
        ApiToken.objects.update(last_used_at=None)
        for expected in (1, 0, 0):
            _, statements = counted(client, path, **headers)
            written = writing([{"sql": sql} for sql in statements])
            assert len(written) == expected
            assert not any("pghistory" in sql for sql in written)
    ApiToken.objects.update(last_used_at=timezone.now() - dt.timedelta(minutes=6))
    client.get(ONCALL, headers=headers)
    assert timezone.now() - ApiToken.objects.get().last_used_at < HOUR / 60


def test_the_request_log_and_fair_use_know_the_caller(site, script, a, caplog):
    script.get(ONCALL)
    with caplog.at_level("INFO", logger="oncall_site.requests"):
        response = script.get(ONCALL)
    record = [record for record in caplog.records if record.name == "oncall_site.requests"][-1]
    assert (record.user, record.view, record.status) == ("engineer-a", "api-oncall-list", 200)
    assert response.wsgi_request.user == a


def year_of(rotation):
    first = rotation.weeks.order_by("starts_on").first().starts_on
    return f"/api/v1/rotations/{rotation.slug}/timeline/?from={first}&to={first + 365 * DAY}"


def test_a_year_s_timeline_is_one_page_and_is_answered_from_memory(site, script, admin):
    people = list(User.objects.filter(weeks__isnull=False).distinct().order_by("pk")[:2])
    first = site.weeks.order_by("starts_on").first().starts_at
    Cover.objects.bulk_create(
        Cover(
            rotation=site,
            engineer=people[n % 2],
            covered_engineer=people[(n + 1) % 2],
            starts_at=first + HOUR * 14 * n,
            ends_at=first + HOUR * (14 * n + 7),
            created_by=admin,
        )
        for n in range(600)
    )
    path = year_of(site)
    answer, statements = counted(script, path)
    body = answer.json()
    assert (len(body["results"]) == body["count"] > 1_000, body["next"]) == (True, None)
    rows = body["results"]
    assert all(one["ends_at"] == other["starts_at"] for one, other in itertools.pairwise(rows))
    start, end = (dt.datetime.fromisoformat(text) for text in (rows[0]["starts_at"], rows[-1]["ends_at"]))
    assert (end - start).days == 365
    intervals = rotation_timeline(site, starts_at=start, ends_at=end)
    assert rows == [dict(row) for row in IntervalSerializer(intervals, many=True).data]
    again, fewer = counted(script, path)
    assert (len(statements) > 1, len(fewer), again.content) == (True, 1, answer.content)
    assert script.get(path, headers={"if-none-match": answer.headers["ETag"]}).status_code == 304
    Cover.objects.filter(pk=Cover.objects.first().pk).delete()
    assert script.get(path).json()["count"] < body["count"]
    short = script.get(f"{path}&page_size=100").json()
    assert (len(short["results"]), short["next"] is None) == (100, False)


def test_a_timeline_from_now_on_is_made_afresh(site, script):
    path = f"/api/v1/rotations/{site.slug}/timeline/"
    for _ in range(2):
        _, statements = counted(script, path)
        assert len(statements) > 1
