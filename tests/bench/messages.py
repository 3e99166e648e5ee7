"""`python -m tests.bench messages`: how late 500 messages are on a busy machine, and what one costs, without pages or a large outbox."""

import sys

import psutil
from django.db import connection

from tests.bench.aims import against, load
from tests.bench.cpu import difference, spent
from tests.bench.scale import LOAD
from tests.bench.together import LATE_SECONDS, MESSAGES, SPREAD_SECONDS, both_workers_run
from tests.faults.test_messages import batch, copies, healthy, make_messages, wait_for_all
from tests.waiting import wait_until


def measure(*, processes=LOAD):
    """Print how late the messages are, and the processor time per message of the senders, the database and the mail server."""
    sys.stdout.reconfigure(line_buffering=True)
    with load(processes), healthy() as running:
        wait_until(both_workers_run, why="a worker does not run")
        make_messages(20, named="first")
        wait_for_all("first")
        wanted = make_messages(MESSAGES, named="alone", spread=SPREAD_SECONDS)
        before = {name: spent(group) for name, group in processes_by_part(running).items()}
        wait_for_all("alone")
        cost = {
            name: difference(spent(group), before[name]) / MESSAGES
            for name, group in processes_by_part(running).items()
        }
        extra = copies(running, wanted)
    late = sorted((row.sent_at - row.due_at).total_seconds() for row in batch("alone"))
    p50, p99 = late[len(late) // 2], late[int(len(late) * 0.99)]
    print(f"| {MESSAGES} messages under a load of {processes} | each sent once, {extra} twice | |")
    print(f"| how late | p50 {p50:.1f} s, p99 {p99:.1f} s{against(p99, LATE_SECONDS, ' s')} | |")
    print(f"| processor time of one | {', '.join(f'{name} {spent:.2f} ms' for name, spent in cost.items())} | |")


def processes_by_part(running):
    """Return the processes of the senders, the database and the mail server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
            " AND pid <> pg_backend_pid()"
        )
        database = [psutil.Process(pid) for (pid,) in cursor.fetchall()]
    return {
        "senders": running.senders(),
        "database": database,
        "mail server": [psutil.Process(running.running["sink"].pid)],
    }
