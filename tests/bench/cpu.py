"""Processor time per request, of a web process and of PostgreSQL: other work on the machine hardly changes it, while it multiplies wall time.

Requests are made in turns, so that a busy moment hits each kind.
"""

import contextlib
import http.client
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection
from django.test import Client

TURNS, REQUESTS_A_TURN = 10, 40


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time a request, of the web process and of the database, and the size of the last body."""

    web: float
    database: float
    size: int

    @property
    def both(self):
        return self.web + self.database


def spent(processes):
    """Return the processor time of each process in milliseconds, to the nanosecond: `psutil` knows it to ten milliseconds."""
    taken = {}
    for process in processes:
        # A connection's process may end meanwhile.
        with contextlib.suppress(OSError):
            tasks = Path(f"/proc/{process.pid}/task").glob("*/schedstat")
            taken[process.pid] = sum(int(task.read_text().split()[0]) for task in tasks) / 1e6
    return taken


def difference(after, before):
    """Return what processes have spent since; a new one began at nothing."""
    return sum(time - before.get(pid, 0.0) for pid, time in after.items())


def serving():
    """Return the web processes that this one started, and PostgreSQL's that serve their connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )
        database = [psutil.Process(pid) for (pid,) in cursor.fetchall()]
    web = [
        process
        for process in psutil.Process().children(recursive=True)
        if "gunicorn" in " ".join(process.cmdline()) and process.name() != "postgres"
    ]
    return web, database


def request(client, path, headers):
    client.request("GET", path() if callable(path) else path, headers=headers)
    answer = client.getresponse()
    return answer.status, answer.read()


def cookie_of(person):
    """Return the cookie of a session of somebody's."""
    client = Client()
    client.force_login(person)
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def entity_tag(address, path, headers):
    """Return the entity tag of an answer."""
    client = http.client.HTTPConnection(*address, timeout=120)
    client.request("GET", path, headers=headers)
    answer = client.getresponse()
    answer.read()
    client.close()
    return answer.headers["ETag"]


def costs(address, calls, *, turns=TURNS, requests=REQUESTS_A_TURN, elsewhere=None):
    """Return the cost of each call, by name; `calls` has the path (or a function that returns it), headers and expected status of each.

    `elsewhere` has the addresses of calls to another server, by name.
    """
    addresses = dict.fromkeys(calls, address) | (elsewhere or {})
    clients = {name: http.client.HTTPConnection(*addresses[name], timeout=120) for name in calls}
    for name, (path, headers, status) in calls.items():
        for _ in range(3):
            got, body = request(clients[name], path, headers)
            assert got == status, (name, got, body[:300])
    taken = {name: [0.0, 0.0, 0] for name in calls}
    for _ in range(turns):
        for name, (path, headers, _) in calls.items():
            before = [spent(processes) for processes in serving()]
            for _ in range(requests):
                _, body = request(clients[name], path, headers)
            after = [spent(processes) for processes in serving()]
            for place in (0, 1):
                taken[name][place] += difference(after[place], before[place])
            taken[name][2] = len(body)
    for client in clients.values():
        client.close()
    count = turns * requests
    return {name: Cost(web / count, base / count, size) for name, (web, base, size) in taken.items()}
