"""`python -m tests.bench downstream`: a thousand failing children of one parent, and a thousand readers at nine o'clock."""

import time
from unittest import mock

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from incidents.models import Incident
from incidents.services.escalation import escalate_due
from incidents.services.transitions import resolve
from incidents.services.triggers import IncidentTrigger, trigger_incident
from lineage.models import Edge, Source
from notifications.models import Message
from pipelines.models import Pipeline
from readiness.presenters import render_readers_page
from readiness.services import page_memory
from readiness.services.readers import create_link, store_pages
from tests.factories import make_engineer, make_pipeline
from tests.validation.fixtures import make_check, make_metric, push, run

CHILDREN, RESPONDERS = 1_000, 100
READERS, PROCESSES, METRICS, MAX_STATEMENTS = 1_000, 8, 10, 50


def measure():
    measure_children()
    measure_readers()


def fail(pipeline, *, number, at):
    trigger = IncidentTrigger(
        kind="issue", title=f"Check {number} failed", text="", seen_at=at, since=at, cooldown=None, check_id=number
    )
    return trigger_incident(pipeline, trigger=trigger, at=at)


def measure_children():
    at = timezone.now()
    people = [make_engineer(f"Responder {n}", email=f"responder{n}@example.org") for n in range(RESPONDERS + 1)]
    pipelines = [
        make_pipeline(f"Pipeline {n}", primary=people[n % RESPONDERS], secondary=people[-1], position=n)
        for n in range(CHILDREN + 1)
    ]
    root, children = pipelines[0], pipelines[1:]
    Edge.objects.bulk_create(
        Edge(upstream=root, downstream=child, source=Source.ADMIN, first_seen_at=at, last_seen_at=at)
        for child in children
    )
    parent = fail(root, number=1, at=at)
    began = time.perf_counter()
    for number, child in enumerate(children, start=2):
        fail(child, number=number, at=at)
    opening = time.perf_counter() - began
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        escalate_due(at=at)
    sweep = time.perf_counter() - began
    paged = Message.objects.filter(type="incident-escalated").values_list("recipient", flat=True)
    informed = Message.objects.filter(type="incident-held").count()
    held = Incident.objects.filter(parent=parent, hold="upstream").count()
    assert (len(paged), held) == (1, CHILDREN)
    print(
        f"| {CHILDREN:,} failing children of one parent | {len(set(paged))} person paged, {informed} of {RESPONDERS} responders informed "
        f"once | opened in {opening:.0f} s; a sweep looks at all in {len(captured)} statements, {1000 * sweep:.0f} ms |"
    )
    resolve(parent, by=people[0], at=at)
    resumed = escalate_due(at=at)
    still_held = Incident.objects.filter(hold="upstream").count()
    assert (resumed + escalate_due(at=at) + escalate_due(at=at), still_held) >= (CHILDREN, 0)
    print(f"| their parent is resolved | {resumed:,} escalate in the next sweep | |")


def measure_readers():
    at = timezone.now()
    pipeline = Pipeline.objects.order_by("position")[0]
    owner = pipeline.primary_owner
    for number in range(METRICS):
        metric = make_metric(pipeline, slug=f"metric-{number}", settle_minutes=0)
        check = make_check(pipeline, owner, metric=metric, name=f"Check {number}", parameters={"fail_below": 1.0})
        push(metric, [20.0, 21.0], at=at)
        run(check, at=at)
    link = create_link(name="Investors", pipelines=[pipeline], by=owner)
    memories, seconds = [page_memory.PageMemory() for _ in range(PROCESSES)], [0.0]
    client = Client()
    with (
        override_settings(ALLOWED_HOSTS=["*"]),
        mock.patch.object(page_memory.time, "monotonic", lambda: seconds[0]),  # noqa: PT008  # it changes
        CaptureQueriesContext(connection) as captured,
    ):
        store_pages(render=render_readers_page, at=timezone.now())
        used = time.process_time()
        for reader in range(READERS):
            seconds[0] = 60 * reader / READERS
            with mock.patch.object(page_memory, "pages", memories[reader % PROCESSES]):
                assert client.get(f"/readers/{link.secret}/").status_code == 200
        used = time.process_time() - used
    # Each process starts listening for revoked links once.
    statements = len(captured) + PROCESSES
    print(
        f"| {READERS:,} readers in a minute, {PROCESSES} web processes | {statements} statements, {1000 * used / READERS:.1f} ms of "
        f"processor time each | target under {MAX_STATEMENTS} |"
    )
