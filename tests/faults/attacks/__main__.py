"""Attack a site until standard input ends: `python -m tests.faults.attacks '{"pages": 8, …}' '{"host": …, "port": …}'`.

The first argument has the number of clients of each attack. Ten times a second, prints a line of JSON with the counts of what
happened, by attack.
"""

import asyncio
import collections
import json
import sys
import threading
from dataclasses import dataclass, field

from tests.faults.attacks import connections, floods

ATTACKS = {
    "slow headers": connections.slow_headers,
    "slow bodies": connections.slow_bodies,
    "slow readers": connections.slow_readers,
    "idle connections": connections.idle,
    "alerts": floods.alerts,
    "previews": floods.previews,
    "lists": floods.lists,
    "pages": floods.pages,
    "events": floods.events,
    "lineage": floods.lineage,
    "manifests": floods.manifests,
    "readers": floods.readers,
    "hooks": floods.hooks,
    "push": floods.push,
}
# Short, because the suite's test ends as soon as every attack has begun.
REPORT_SECONDS = 0.1


@dataclass
class Site:
    """The target of an attack, and the attackers' secrets: a token and session, an integration key, a reader link."""

    host: str
    port: int
    token: str = ""
    cookie: str = ""
    csrf: str = ""
    pipeline: str = ""
    routing_key: str = ""
    readers_link: str = ""
    counts: collections.Counter = field(default_factory=collections.Counter)


async def attack(clients, target):
    """Run each attack with that many clients, and print the counts, until the task is cancelled."""
    sites = {name: Site(**target) for name in clients}
    tasks = [asyncio.create_task(ATTACKS[name](sites[name])) for name, number in clients.items() for _ in range(number)]
    while not any(task.done() for task in tasks):
        await asyncio.sleep(REPORT_SECONDS)
        print(json.dumps({name: site.counts for name, site in sites.items()}), flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    threading.Thread(target=asyncio.run, args=(attack(*map(json.loads, sys.argv[1:])),), daemon=True).start()
    sys.stdin.read()
