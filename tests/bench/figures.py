"""The figures of docs/performance.md."""

import datetime as dt
import logging
import statistics
import time
from pathlib import Path

from django.db import connection
from django.test import Client, override_settings
from django.test.runner import DiscoverRunner
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone
from rest_framework.decorators import api_view
from rest_framework.response import Response

from handbook.services import import_handbook
from oncall_site import urls
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.queries.on_call import responder_chains, rotation_timeline
from scheduling.services.rotations import join_rotation
from tests.bench.aims import against
from tests.bench.cpu import cookie_of, costs, entity_tag
from tests.factories import bearer, make_engineer, make_pipeline
from tests.faults.web import web

SEED = Path(__file__).parents[2] / "examples" / "handbook.md"
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
ENGINEERS, PIPELINES, ROUNDS = 40, 200, 60


@api_view(["GET"])
def empty(request):
    return Response([])


class Paths:
    urlpatterns = [path("empty/", empty), path("", include(urls))]


def median(do, *, rounds=ROUNDS):
    """Return the median time of a call in milliseconds."""
    do()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def best(do, *, rounds=300):
    """Return the tenth part's best time of a call in milliseconds: what it costs on a machine that does nothing else."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        do()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=10)[0]


def paired(one, other, *, rounds=ROUNDS):
    """Return the median times of two calls in milliseconds, taken in turns, so that a busy moment hits both."""
    one(), other()
    times = ([], [])
    for _ in range(rounds):
        for stored, do in zip(times, (one, other), strict=True):
            began = time.perf_counter()
            do()
            stored.append((time.perf_counter() - began) * 1000)
    return [statistics.median(stored) for stored in times]


def fill():
    import_handbook(SEED.read_bytes(), at=AT, starting=dt.date(2026, 11, 23))
    people = [make_engineer(f"Person {number}") for number in range(ENGINEERS)]
    rows = [
        make_pipeline(f"P {n}", primary=people[n % ENGINEERS], secondary=people[(n + 1) % ENGINEERS], position=n)
        for n in range(PIPELINES - Pipeline.objects.count())
    ]
    join_rotation(Rotation.objects.get(), pipelines=rows)


def cover_year(rotation, *, count, starts_at=AT):
    Cover.objects.all().delete()
    one, other = User.objects.filter(display_name__in=["Engineer A", "Engineer B"]).order_by("pk")
    step = dt.timedelta(days=364) / max(count, 1)
    Cover.objects.bulk_create(
        Cover(
            rotation=rotation,
            engineer=one if number % 2 else other,
            covered_engineer=other if number % 2 else one,
            starts_at=starts_at + step * number,
            ends_at=starts_at + step * number + step / 2,
            created_by=one,
        )
        for number in range(count)
    )


def measure_costs(rotation, *, token):
    """Print the processor time of calls in one web process, each beside the empty view as it was, with the aims."""
    known = {"Authorization": token}
    first = timezone.now().date()
    year = f"/api/v1/rotations/{rotation.slug}/timeline/?from={first}&to={first + dt.timedelta(days=365)}"
    reference = "an empty DRF view as it was when the aims were set"
    calls = {
        reference: ("/empty/earlier/", known, 200),
        "an empty DRF view": ("/empty/", known, 200),
        "`oncall/`": ("/api/v1/oncall/", known, 200),
        "`oncall/?at=` in a month": (f"/api/v1/oncall/?at={first + dt.timedelta(days=30)}T12:00:00Z", known, 200),
        "`responders/`, 50 of 200": ("/api/v1/responders/?page_size=50", known, 200),
        "`pipelines/<slug>/responder/`": ("/api/v1/pipelines/p-7/responder/", known, 200),
    }
    aims = dict.fromkeys(list(calls)[2:], 1 / 3)
    sizes = {"workers": 1, "threads": 4, "application": "tests.bench.site"}
    with web(**sizes, EARLIER="1") as earlier, web(**sizes) as address:
        etag = entity_tag(address, "/api/v1/oncall/", known)
        calls["`oncall/`, unchanged: a 304"] = ("/api/v1/oncall/", {**known, "If-None-Match": etag}, 304)
        actual = costs(address, calls, elsewhere={reference: earlier})
        for count in (100, 1600):
            cover_year(rotation, count=count, starts_at=timezone.now())
            # A session's answers never come from memory.
            fresh = {"Cookie": cookie_of(User.objects.get(display_name="Bench"))}
            name = f"a year's timeline with {count:,} covers"
            actual |= costs(
                address, {f"{name}, afresh": (year, fresh, 200), f"{name}, from memory": (year, known, 200)}, turns=3
            )
    reference_cost = actual[reference]
    print("\n| processor time of a request: web process + database | | beside the first |")
    print("|---|---|---|")
    for name, cost in actual.items():
        aim = against(cost.both / reference_cost.both, round(aims[name], 2)) if name in aims else ""
        print(
            f"| {name} | {cost.web:.2f} + {cost.database:.2f} ms; {cost.size:,} B | {cost.both / reference_cost.both:.2f}{aim} |"
        )
    print()


def measure():
    fill()
    rotation, admin = Rotation.objects.get(), make_engineer("Bench", is_staff=True)
    client, headers = Client(SERVER_NAME="localhost"), bearer(admin)
    measure_costs(rotation, token=headers["headers"]["authorization"])
    year = {"starts_at": AT, "ends_at": AT + dt.timedelta(days=365)}
    with override_settings(ROOT_URLCONF=Paths):
        nothing, on_call = paired(
            lambda: client.get("/empty/", **headers), lambda: client.get("/api/v1/oncall/", **headers), rounds=300
        )
    pipelines = list(Pipeline.objects.all())
    with CaptureQueriesContext(connection) as captured:
        responder_chains(pipelines, at=AT)
    print(f"| an empty DRF view | {nothing:.1f} ms | 1 |")
    print(f"| who is on call (`oncall/`) | {on_call:.1f} ms | {nothing / on_call:.2f} of its throughput |")
    print(
        f"| responders of {len(pipelines)} pipelines | {median(lambda: responder_chains(pipelines, at=AT)):.1f} ms | {len(captured)} statements |"
    )
    for count in (0, 100, 1600):
        cover_year(rotation, count=count)
        took = median(lambda: rotation_timeline(rotation, **year), rounds=20)
        print(f"| a year's timeline with {count:,} covers | {took:.1f} ms | |")
    compare_histories(rotation, client=client, headers=headers, pipelines=pipelines)


def grow_history(rotation, *, years):
    """Give a rotation a past of that many years: its weeks, 100 covers and 80 holidays a year."""
    people = list(User.objects.order_by("pk"))
    week = dt.timedelta(weeks=1)
    known = set(rotation.weeks.values_list("starts_on", flat=True))
    first = rotation.weeks.order_by("starts_on").first()
    back = [n for n in range(1, 52 * years + 1) if first.starts_on - week * n not in known]
    RotationWeek.objects.bulk_create(
        RotationWeek(
            rotation=rotation,
            starts_on=first.starts_on - week * n,
            starts_at=first.starts_at - week * n,
            ends_at=first.ends_at - week * n,
            engineer=people[n % 4],
            planned_engineer=people[n % 4],
        )
        for n in back
    )
    begin = AT - dt.timedelta(days=364 * years)
    day = dt.timedelta(days=1)
    Cover.objects.bulk_create(
        Cover(
            rotation=rotation,
            engineer=people[n % 4],
            covered_engineer=people[(n + 1) % 4],
            starts_at=begin + 3.5 * day * n,
            ends_at=begin + 3.5 * day * n + day,
            created_by=people[0],
        )
        for n in range(100 * years)
    )
    HolidayBlock.objects.bulk_create(
        HolidayBlock(
            engineer=people[n % len(people)],
            starts_on=(begin + 4.5 * day * n).date(),
            ends_on=(begin + 4.5 * day * n + 3 * day).date(),
            starts_at=begin + 4.5 * day * n,
            ends_at=begin + 4.5 * day * n + 4 * day,
            time_zone="UTC",
        )
        for n in range(80 * years)
    )


def compare_histories(rotation, *, client, headers, pipelines):
    """Print what ten years of history cost beside one."""
    calls = {
        "`oncall/`": lambda: client.get("/api/v1/oncall/", **headers),
        "responders of 200 pipelines": lambda: responder_chains(pipelines, at=AT),
        "a year's timeline": lambda: rotation_timeline(rotation, starts_at=AT, ends_at=AT + dt.timedelta(days=365)),
    }
    took = {}
    for years in (1, 10):
        Cover.objects.all().delete()
        HolidayBlock.objects.all().delete()
        grow_history(rotation, years=years)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        took[years] = {name: best(do) for name, do in calls.items()}
    for name, one in took[1].items():
        ten = took[10][name]
        print(f"| {name}, with 1 and with 10 years of history | {one:.2f} and {ten:.2f} ms | {ten / one - 1:+.0%} |")


def main(measure=measure):
    """Run a measurement in a database of its own."""
    logging.disable(logging.WARNING)
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        measure()
    finally:
        runner.teardown_databases(databases)
