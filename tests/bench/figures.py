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
from rest_framework.decorators import api_view
from rest_framework.response import Response

from oncall_site import urls
from oncall_site.handbook import import_handbook
from people.models import User
from pipelines.models import Pipeline
from scheduling import queries
from scheduling.commands import join_rotation
from scheduling.models import Cover, Rotation
from tests.make import bearer, make_engineer, make_pipeline

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


def fill():
    import_handbook(SEED.read_bytes(), at=AT, starting=dt.date(2026, 11, 23))
    people = [make_engineer(f"Person {number}") for number in range(ENGINEERS)]
    rows = [
        make_pipeline(f"P {n}", primary=people[n % ENGINEERS], secondary=people[(n + 1) % ENGINEERS], position=n)
        for n in range(PIPELINES - Pipeline.objects.count())
    ]
    join_rotation(Rotation.objects.get(), pipelines=rows)


def cover_year(rotation, *, count):
    Cover.objects.all().delete()
    one, other = User.objects.filter(display_name__in=["Engineer A", "Engineer B"]).order_by("pk")
    step = dt.timedelta(days=364) / max(count, 1)
    Cover.objects.bulk_create(
        Cover(
            rotation=rotation,
            engineer=one if number % 2 else other,
            covers=other if number % 2 else one,
            starts_at=AT + step * number,
            ends_at=AT + step * number + step / 2,
            created_by=one,
        )
        for number in range(count)
    )


def measure():
    fill()
    rotation, admin = Rotation.objects.get(), make_engineer("Bench", is_staff=True)
    client, headers = Client(SERVER_NAME="localhost"), bearer(admin)
    year = {"starts_at": AT, "ends_at": AT + dt.timedelta(days=365)}
    with override_settings(ROOT_URLCONF=Paths):
        nothing = median(lambda: client.get("/empty/", **headers))
        on_call = median(lambda: client.get("/api/v1/oncall/", **headers))
    pipelines = list(Pipeline.objects.all())
    with CaptureQueriesContext(connection) as captured:
        queries.answers(pipelines, at=AT)
    print(f"| an empty DRF view | {nothing:.1f} ms | 1 |")
    print(f"| who is on call (`oncall/`) | {on_call:.1f} ms | {nothing / on_call:.2f} of its throughput |")
    print(
        f"| responders of {len(pipelines)} pipelines | {median(lambda: queries.answers(pipelines, at=AT)):.1f} ms | {len(captured)} statements |"
    )
    for count in (0, 100, 1600):
        cover_year(rotation, count=count)
        took = median(lambda: queries.timeline_of(rotation, **year), rounds=20)
        print(f"| a year's timeline with {count:,} covers | {took:.1f} ms | |")


def main():
    logging.disable(logging.WARNING)
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        measure()
    finally:
        runner.teardown_databases(databases)
