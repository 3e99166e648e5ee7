"""`python -m tests.bench scale`: the site of a large company, and what its pages, calls and sweeps cost there."""

import contextlib
import datetime as dt
import gc
import http.client
import itertools
import statistics
import sys
import time
from functools import partial

import psutil
from django.db import connection
from django.db.models.functions import Now
from django.test import Client, override_settings
from django.utils import timezone

from handoffs.services.meetings import sync_handoffs
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from notifications.models import Message
from oncall_site import queries as site_queries
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.weeks import WEEK
from scheduling.models import PipelineRotation, Roster, RosterMember, Rotation, RotationWeek
from scheduling.notifications import TimeOffConflict, conflict_key
from scheduling.services.coverage_gaps import sync_coverage_gaps
from scheduling.services.offboarding import reassign_inactive
from scheduling.services.reminders import absences_on_call, notify_shift_changes
from scheduling.services.swaps import expire_swaps
from tests.bench.aims import against, load
from tests.bench.cpu import cookie_of, costs, entity_tag
from tests.bench.figures import Paths, paired
from tests.bench.together import measure_together, reading
from tests.factories import bearer, make_engineer
from tests.faults.web import web

ENGINEERS, ROTATIONS, PIPELINES, YEARS, MESSAGES = 2_000, 500, 5_000, 5, 1_000_000
ON_A_ROSTER = 6
INCIDENTS = 30
# Milliseconds, on a machine that does nothing else.
AIMS = {
    "Now": 100,
    "Schedule": 100,
    "Now's fragment, for another reader": 30,
    "Now's fragment, on another device": 30,
    "Now's fragment, unchanged": 3,
}
GAPS_SECONDS = 0.3
# Processes that put load on the two cores during the measurement.
LOAD = 4
AHEAD = 30
ROUNDS = 40

# Written by the database itself, set by set: five years of weeks, covers and holidays, and an outbox whose messages are all
# sent but the newest ten thousand.
WEEKS = """
INSERT INTO scheduling_rotationweek (rotation_id, starts_on, starts_at, ends_at, engineer_id, planned_engineer_id)
SELECT roster.rotation_id, day, day + time '10:00' AT TIME ZONE 'UTC', day + 7 + time '10:00' AT TIME ZONE 'UTC',
       member.engineer_id, member.engineer_id
  FROM scheduling_roster roster
  CROSS JOIN LATERAL (SELECT roster.starts_on + 7 * k AS day, k FROM generate_series(0, %(weeks)s) k) week
  JOIN scheduling_rostermember member ON member.roster_id = roster.id AND member.position = week.k %% %(members)s
"""
EVENTS = """
INSERT INTO scheduling_rotationweekevent (pgh_created_at, pgh_label, pgh_obj_id, id, rotation_id, starts_on, starts_at, ends_at,
                                          engineer_id, planned_engineer_id)
SELECT now(), 'insert', id, id, rotation_id, starts_on, starts_at, ends_at, engineer_id, planned_engineer_id
  FROM scheduling_rotationweek
"""
COVERS = """
INSERT INTO scheduling_cover (rotation_id, engineer_id, covered_engineer_id, starts_at, ends_at, reason, created_by_id)
SELECT week.rotation_id, other.engineer_id, week.engineer_id, week.starts_at + interval '1 day',
       week.starts_at + interval '2 days', '', other.engineer_id
  FROM scheduling_rotationweek week
  JOIN scheduling_roster roster ON roster.rotation_id = week.rotation_id
  JOIN scheduling_rostermember mine ON mine.roster_id = roster.id AND mine.engineer_id = week.engineer_id
  JOIN scheduling_rostermember other ON other.roster_id = roster.id AND other.position = (mine.position + 1) %% %(members)s
 WHERE (week.starts_on - roster.starts_on) / 7 %% 5 = 0
"""
HOLIDAYS = """
INSERT INTO scheduling_holidayblock (engineer_id, starts_on, ends_on, kind, note, time_zone, starts_at, ends_at, link_uid)
SELECT person.id, day, day + 6, 'holiday', '', 'UTC', day::timestamp AT TIME ZONE 'UTC', (day + 7)::timestamp AT TIME ZONE 'UTC', ''
  FROM people_user person
  CROSS JOIN LATERAL (SELECT %(first)s::date + 60 * k + (abs(hashint8(person.id)) %% 53)::int AS day FROM generate_series(0, %(blocks)s) k) block
"""
# Eight weeks of signed sheets, as long as a busy team's, and every hand-off ahead; the last of every twenty rotations is unsigned. The
# engineers are already invited and notified of absences, as on a running site. Otherwise the sweep would send ten thousand messages.
HANDOFFS = """
INSERT INTO handoffs_handoff (rotation_id, week, at, outgoing_id, incoming_id, meeting_starts_at, meeting_ends_at, moved, uid, sequence,
                              stamped_at, signed_outgoing_at, signed_incoming_at, frozen, invited, mailed_sequence, absence_notified)
SELECT week.rotation_id, week.starts_on, week.starts_at, before.engineer_id, week.engineer_id,
       week.starts_at - interval '30 minutes', week.starts_at, false, 'bench-' || week.id, 0, week.starts_at, signed.at, signed.at,
       CASE WHEN signed.at IS NOT NULL THEN sheet.topics END, ARRAY[before.engineer_id, week.engineer_id], 0,
       ARRAY(SELECT DISTINCT block.engineer_id FROM scheduling_holidayblock block
              WHERE block.engineer_id IN (before.engineer_id, week.engineer_id) AND block.starts_at < week.starts_at
                AND block.ends_at > week.starts_at - interval '30 minutes' ORDER BY 1)
  FROM scheduling_rotationweek week
  JOIN scheduling_rotationweek before ON before.rotation_id = week.rotation_id AND before.ends_at = week.starts_at
  CROSS JOIN LATERAL (
    SELECT CASE WHEN week.starts_at < %(at)s AND NOT (week.ends_at > %(at)s AND week.rotation_id %% 25 = 0) THEN week.starts_at END AS at
  ) signed
  CROSS JOIN (
    SELECT jsonb_agg(jsonb_build_object('title', 'Topic ' || topic, 'notes', repeat('note ', 40), 'version', 1, 'items', (
             SELECT jsonb_agg(jsonb_build_object('text', repeat('an item ', 10) || item, 'path', '/pipelines/', 'link', ''))
               FROM generate_series(1, 10) item))) AS topics
      FROM generate_series(1, 4) topic
  ) sheet
 WHERE week.starts_at > %(at)s - interval '8 weeks'
"""
# The columns of a message that differ; the others have the model's defaults.
MESSAGE_COLUMNS = {
    "dedup_key": "n::text",
    "recipient_id": "%(person)s + n %% %(people)s",
    "text": "repeat('text ', 40)",
    "state": "CASE WHEN n > %(sent)s THEN 'pending' ELSE 'sent' END",
    "due_at": "due",
    "expires_at": "due + interval '1 day'",
    "created_at": "due",
    "sent_at": "CASE WHEN n <= %(sent)s THEN due + interval '3 seconds' END",
}
OUTBOX = """
INSERT INTO notifications_message ({columns}) SELECT {values}
  FROM generate_series(1, %(messages)s) n
  CROSS JOIN LATERAL (SELECT %(at)s::timestamptz + (n - %(sent)s) * interval '150 seconds' AS due) instant
"""


def fill(*, at):
    """Make the large site; return how many seconds that took."""
    began = time.perf_counter()
    User.objects.bulk_create(
        User(
            username=f"person-{n}",
            display_name=f"Person {n:04}",
            email=f"person-{n}@example.org",
            password="!",
            date_joined=at - 52 * YEARS * WEEK,
        )
        for n in range(ENGINEERS)
    )
    people = list(User.objects.filter(username__startswith="person-").order_by("pk"))
    monday = at.date() - dt.timedelta(days=at.weekday())
    first = monday - 52 * YEARS * WEEK
    rotations = Rotation.objects.bulk_create(
        Rotation(slug=f"rotation-{n}", name=f"Rotation {n:03}") for n in range(ROTATIONS)
    )
    rosters = Roster.objects.bulk_create(Roster(rotation=rotation, starts_on=first) for rotation in rotations)
    RosterMember.objects.bulk_create(
        RosterMember(roster=roster, engineer=people[(4 * number + place) % ENGINEERS], position=place)
        for number, roster in enumerate(rosters)
        for place in range(ON_A_ROSTER)
    )
    pipelines = Pipeline.objects.bulk_create(
        Pipeline(
            slug=f"pipeline-{n}",
            name=f"Pipeline {n:04}",
            match_key=f"pipeline {n:04}",
            position=n,
            primary_owner=people[(4 * (n % ROTATIONS) + n) % ENGINEERS],
            secondary_owner=people[(4 * (n % ROTATIONS) + n + 1) % ENGINEERS],
        )
        for n in range(PIPELINES)
    )
    PipelineRotation.objects.bulk_create(
        PipelineRotation(pipeline=pipeline, rotation=rotations[n % ROTATIONS]) for n, pipeline in enumerate(pipelines)
    )
    with connection.cursor() as cursor:
        # Without knowing how many rows there are, the joins below take hours.
        cursor.execute("ANALYZE")
        # Triggers, row by row, would take most of the time: the history that they write is written in one go.
        cursor.execute("SET session_replication_role = replica")
        with unconstrained(cursor, "scheduling_rotationweek", "scheduling_cover"):
            cursor.execute(WEEKS, {"weeks": 52 * YEARS + AHEAD, "members": ON_A_ROSTER})
            cursor.execute("ANALYZE")
            cursor.execute(COVERS, {"members": ON_A_ROSTER})
        cursor.execute(EVENTS)
        cursor.execute(HOLIDAYS, {"first": first, "blocks": YEARS * 6 + 3})
        sent = MESSAGES - 10_000
        given = {"person": people[0].pk, "people": ENGINEERS, "sent": sent, "messages": MESSAGES, "at": at}
        fill_outbox(cursor, given)
        cursor.execute(HANDOFFS, {"at": at})
        cursor.execute("SET session_replication_role = DEFAULT")
        record_conflicts(people[0], at=at)
        cursor.execute("VACUUM ANALYZE")
    open_incidents(pipelines[:: len(pipelines) // INCIDENTS], by=people[0], at=at)
    return time.perf_counter() - began


def fill_outbox(cursor, given):
    """Insert the messages."""
    message = Message(type="bench", subject="Your shift starts")
    fields = [field for field in Message._meta.concrete_fields if not field.primary_key]
    names = [field.column for field in fields]
    values = [MESSAGE_COLUMNS.get(name, f"%({name})s") for name in names]
    defaults = {
        field.column: field.get_db_prep_save(getattr(message, field.attname), connection)
        for field in fields
        if field.column not in MESSAGE_COLUMNS
    }
    cursor.execute(OUTBOX.format(columns=", ".join(names), values=", ".join(values)), {**defaults, **given})


def record_conflicts(person, *, at):
    """Record that everyone has been notified of time off during shifts, as on a running site."""
    by_week, by_cover = absences_on_call(at=at)
    keys = [conflict_key(block, week_id=week) for block, week in by_week]
    keys += [conflict_key(block, cover_id=cover) for block, cover in by_cover]
    Message.objects.bulk_create(
        Message(
            type=TimeOffConflict.name,
            dedup_key=key,
            recipient=person,
            subject="Time off while on call",
            text="text " * 40,
            state=Message.State.SENT,
            due_at=at,
            expires_at=at + dt.timedelta(days=1),
            sent_at=at,
        )
        for key in keys
    )


def open_incidents(pipelines, *, by, at):
    """Open an incident of each pipeline; half of them are acknowledged."""
    for number, pipeline in enumerate(pipelines):
        what = NewIncident(kind="issue", title=f"Missing data: No. {number}")
        incident = open_incident(pipeline, what=what, by=by, at=at)
        if number % 2:
            acknowledge(incident, by=by, at=at)


@contextlib.contextmanager
def unconstrained(cursor, *tables):
    """Check exclusion constraints once, when they are created again, rather than row by row."""
    cursor.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'x' AND conrelid::regclass::text = ANY(%s)",
        [list(tables)],
    )
    actual = cursor.fetchall()
    for table, name, _ in actual:
        cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in actual:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def times(do, *, rounds=ROUNDS, clock=time.process_time):
    """Return the median, the 95th percentile, and the mean of a process' own work, by its clock, in milliseconds."""
    do()
    taken, own = [], clock()
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1], (clock() - own) / rounds * 1000


def measure_pages(person, admin):
    """Print what pages cost that a web process of gunicorn's serves, as a browser asks for them."""
    pages = {
        "Now": (person, "/"),
        "Schedule": (person, "/schedule/"),
        "Now, as an admin": (admin, "/"),
        "Schedule, as an admin": (admin, "/schedule/"),
        "Pipelines": (person, "/pipelines/"),
        "Mine": (person, "/me/"),
        "a pipeline": (person, "/pipelines/pipeline-7/"),
        "the API's `oncall/` (a page of 50)": (admin, "/api/v1/oncall/?page_size=50"),
        "the API's `responders/` (a page of 50)": (admin, "/api/v1/responders/?page_size=50"),
        "a pipeline's responder": (admin, "/api/v1/pipelines/pipeline-7/responder/"),
        "`/metrics`": (admin, "/metrics"),
    }
    with web(workers=1, threads=1) as address:
        readings = http.client.HTTPConnection(*address, timeout=60)
        # The first answer comes from the worker, which gunicorn starts after itself.
        reading(readings, "/", cookie=cookie_of(person))
        serving = psutil.Process().children(recursive=True)
        for name, (reader, path) in pages.items():
            cookie = cookie_of(reader)
            status, body = reading(readings, path, cookie=cookie)
            assert status == 200, (name, status)
            asked = partial(reading, readings, path, cookie=cookie)
            median, most, own = times(
                asked,
                clock=lambda: sum(sum(process.cpu_times()[:2]) for process in serving),
            )
            aim = against(most, AIMS[name], " ms") if name in AIMS else ""
            print(
                f"| {name} | {median:.0f} ms, p95 {most:.0f} ms{aim} | {own:.0f} ms of it the web process’s; {len(body) // 1024} KiB |"
            )
        readings.close()
        measure_updates(address, person)


def measure_updates(address, person):
    """Print the processor time of Now, of the fragment by which it updates itself, and of finding that nothing has changed."""
    known = {"Cookie": cookie_of(person)}
    unchanged = {**known, "If-None-Match": entity_tag(address, "/now/", known)}
    number = itertools.count()

    def after_a_change():
        User.objects.filter(pk=person.pk).update(colour=1 + next(number) % 12)
        return f"/now/?n={next(number)}"

    calls = {
        "Now": ("/", known, 200),
        # A different query string each time, so that only the parts for all readers come from memory.
        "Now's fragment, for another reader": (lambda: f"/now/?n={next(number)}", known, 200),
        "Now's fragment, after a change": (after_a_change, known, 200),
        "Now's fragment, on another device": ("/now/", known, 200),
        "Now's fragment, unchanged": ("/now/", unchanged, 304),
        "Schedule": ("/schedule/", known, 200),
        "Now's responders, through the API from memory": ("/api/v1/responders/", bearer_header(person), 200),
    }
    for name, cost in costs(address, calls, turns=4, requests=10).items():
        aim = against(cost.both, AIMS[name], " ms") if name in AIMS else ""
        print(f"| {name}, processor time | {cost.web:.1f} + {cost.database:.1f} ms{aim} | {cost.size // 1024} KiB |")


def bearer_header(person):
    """Return the header of a new token."""
    return {"Authorization": bearer(person)["headers"]["authorization"]}


def measure():
    at = timezone.now()
    sys.stdout.reconfigure(line_buffering=True)
    print(f"| filling it | {fill(at=at):.0f} s | |")
    admin = make_engineer("Bench", is_staff=True)
    person = User.objects.get(username="person-8")
    headers = bearer(admin)
    measure_pages(person, admin)
    with override_settings(ROOT_URLCONF=Paths):
        client = Client(SERVER_NAME="localhost")
        nothing, one = paired(
            lambda: client.get("/empty/", **headers),
            lambda: client.get("/api/v1/pipelines/pipeline-7/responder/", **headers),
            rounds=200,
        )
        _, on_call = paired(
            lambda: client.get("/empty/", **headers),
            lambda: client.get("/api/v1/oncall/?page_size=1", **headers),
            rounds=200,
        )
    print(f"| an empty DRF view | {nothing:.1f} ms | 1 |")
    print(f"| responder of a pipeline | {one:.1f} ms | {nothing / one:.2f} of its throughput |")
    print(f"| who is on call in a rotation | {on_call:.1f} ms | {nothing / on_call:.2f} of its throughput |")
    measure_sweeps(at=at)
    settle()
    readers = [person, *User.objects.filter(username__in=("person-80", "person-800", "person-1600"))]
    with load(LOAD):
        measure_gaps(at=at)
        measure_together(readers)


def measure_gaps(*, at):
    """Print how long the sweep of coverage gaps takes on a busy machine, and how much of that is its own work."""
    sync_coverage_gaps(at=at)
    times = []
    for _ in range(5):
        # The garbage of a process that has filled a database is not the sweep's.
        gc.collect()
        began, own = time.perf_counter(), time.process_time()
        sync_coverage_gaps(at=at)
        times.append((time.perf_counter() - began, time.process_time() - own))
    took, own = (statistics.median(column) for column in zip(*times, strict=True))
    print(
        f"| sweep of gaps under a load of {LOAD}, median of 5 | {took:.2f} s{against(took, GAPS_SECONDS, ' s')} | {own:.2f} s its own |"
    )


def measure_sweeps(*, at):
    """Print what each sweep costs where nothing is due, and with a tenth of the rotations due."""
    sweeps = {
        "keep gaps": lambda: sync_coverage_gaps(at=at),
        "expire swaps": lambda: expire_swaps(at=at),
        "release inactive people": lambda: reassign_inactive(at=at),
        "keep weeks": keep_all_weeks,
        "look at the outbox": lambda: site_queries.outbox(at=at),
    }
    for name, sweep in sweeps.items():
        sweep()
        began = time.perf_counter()
        sweep()
        print(f"| sweep: {name}, nothing due | {(time.perf_counter() - began) * 1000:.0f} ms | |")
    for due in (50, 500):
        newest = Rotation.objects.order_by("pk")[:due]
        RotationWeek.objects.filter(rotation__in=list(newest), starts_at__gt=at + 29 * WEEK).delete()
        began = time.perf_counter()
        keep_all_weeks()
        print(f"| sweep: keep weeks, {due} rotations due | {(time.perf_counter() - began) * 1000:.0f} ms | |")
    for due in (100, 1000):
        began = time.perf_counter()
        actual = len(Message.objects.due(at=at + dt.timedelta(seconds=150 * due)).values_list("pk", flat=True)[:due])
        print(
            f"| the {actual} due of {MESSAGES:,} messages are found | {(time.perf_counter() - began) * 1000:.1f} ms | |"
        )


def settle():
    """Print the cost of the sweeps that announce changed weeks and today's shifts, and mark their messages as sent, as on an older site."""
    for name, sweep in {"sync hand-offs": sync_handoffs, "notify of shifts": notify_shift_changes}.items():
        for found in ("all that is due", "nothing due"):
            began = time.perf_counter()
            sweep(at=timezone.now())
            print(f"| sweep: {name}, {found} | {(time.perf_counter() - began) * 1000:.0f} ms | |")
    unsent = Message.objects.exclude(type="bench").exclude(state=Message.State.SENT)
    print(f"| messages of these sweeps | {unsent.update(state=Message.State.SENT, sent_at=Now())} | |")


def keep_all_weeks():
    from scheduling.tasks import ensure_weeks

    ensure_weeks()
