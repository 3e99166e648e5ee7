"""Attack a site until standard input ends: `python -m tests.faults.attacks '{"attack": …, "host": …, "port": …}'`.

Ten times a second, prints a line of JSON with the counts of what happened.
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
    """The target, and its attackers' secrets: a token and session, an integration key, a reader link."""

    attack: str
    host: str
    port: int
    clients: int
    token: str = ""
    cookie: str = ""
    csrf: str = ""
    pipeline: str = ""
    routing_key: str = ""
    readers_link: str = ""
    counts: collections.Counter = field(default_factory=collections.Counter)


async def attack(site):
    """Run as many clients as wanted, and print the counts, until the task is cancelled."""
    clients = [asyncio.create_task(ATTACKS[site.attack](site)) for _ in range(site.clients)]
    while not any(client.done() for client in clients):
        await asyncio.sleep(REPORT_SECONDS)
        print(json.dumps(site.counts), flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    threading.Thread(target=asyncio.run, args=(attack(Site(**json.loads(sys.argv[1]))),), daemon=True).start()
    sys.stdin.read()
