"""The large site with several of each process at once: two web servers, two workers, two beats, a loop, one Redis, one PostgreSQL."""

import http.client
import statistics
import threading
import time

from django.db.models.functions import Now

from oncall_site.models import Heartbeat
from oncall_site.queries import STALE_AFTER, WORKER
from tests.bench.aims import against
from tests.bench.cpu import cookie_of
from tests.faults.test_messages import batch, copies, healthy, make_messages
from tests.faults.web import web
from tests.waiting import wait_until

READERS, READINGS, MESSAGES, SPREAD_SECONDS = 4, 50, 500, 30.0
WORKERS = 2  # as many as `healthy` starts
LATE_SECONDS = 5.0
PAGES = ("/", "/schedule/", "/api/v1/oncall/?page_size=1", "/pipelines/pipeline-7/")


def reading(connection, path, *, cookie):
    """Read a page; return its status and its body."""
    connection.request("GET", path, headers={"Cookie": cookie})
    answer = connection.getresponse()
    return answer.status, answer.read()


def timed(connection, path, *, cookie):
    """Read a page; return its status and how many milliseconds it took."""
    began = time.perf_counter()
    status, _ = reading(connection, path, cookie=cookie)
    return status, (time.perf_counter() - began) * 1000


def read(address, cookie, taken):
    """Read the pages in turn over a new connection, pausing between two as a person would; record times and statuses."""
    connection = http.client.HTTPConnection(*address, timeout=60)
    for number in range(READINGS):
        path = PAGES[number % len(PAGES)]
        taken.append((path, *timed(connection, path, cookie=cookie)))
        time.sleep(0.5)
    connection.close()


def measure_together(readers):
    """Print how quickly pages come and messages go while several of each process run."""
    taken, cookies = [], [cookie_of(reader) for reader in readers[:READERS]]
    with web(workers=2, threads=4) as one, web(workers=2, threads=4) as other, healthy() as running:
        for address in (one, other):
            read_once(address, cookies[0])
        wait_until(both_workers_run, why="a worker does not run")
        wanted = make_messages(MESSAGES, named="together", spread=SPREAD_SECONDS)
        threads = [
            threading.Thread(target=read, args=((one, other)[n % 2], cookie, taken)) for n, cookie in enumerate(cookies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until = time.monotonic() + 120
        while batch("together").exclude(state="sent").exists():
            assert time.monotonic() < until, "not every message was sent"
            time.sleep(0.5)
        extra = copies(running, wanted)
    assert {status for _, status, _ in taken} == {200}, taken
    for page in PAGES:
        times = [spent for path, _, spent in taken if path == page]
        p95 = statistics.quantiles(times, n=20)[-1]
        print(f"| `{page}`, {READERS} readers at once | {statistics.median(times):.0f} ms, p95 {p95:.0f} ms | |")
    late = sorted((row.sent_at - row.due_at).total_seconds() for row in batch("together"))
    p99 = late[int(len(late) * 0.99)]
    print(
        f"| {MESSAGES} messages meanwhile | each sent once, {extra} twice"
        f" | p50 {late[len(late) // 2]:.1f} s, p99 {p99:.1f} s late{against(p99, LATE_SECONDS, ' s')} |"
    )


def both_workers_run():
    """Return True if both workers have run a task. The start of a worker is not part of the measurement."""
    return Heartbeat.objects.filter(part__startswith=WORKER, seen_at__gt=Now() - STALE_AFTER).count() == WORKERS


def read_once(address, cookie):
    """Read each page once: a process that has just begun is not what is measured."""
    for _ in range(4):
        connection = http.client.HTTPConnection(*address, timeout=60)
        for path in PAGES:
            timed(connection, path, cookie=cookie)
        connection.close()
