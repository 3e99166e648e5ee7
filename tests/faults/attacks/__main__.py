"""Attack a site until standard input ends: `python -m tests.faults.attacks '[{"attack": …, "host": …, "port": …}, …]'`.

Prints a line of JSON with the counts of what happened, by attack, several times a second.
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


async def attack(sites):
    """Run as many clients of each attack as wanted, and print the counts, until the task is cancelled."""
    clients = [asyncio.create_task(ATTACKS[site.attack](site)) for site in sites for _ in range(site.clients)]
    while not any(client.done() for client in clients):
        await asyncio.sleep(REPORT_SECONDS)
        print(json.dumps({site.attack: site.counts for site in sites}), flush=True)
    await asyncio.gather(*clients)


if __name__ == "__main__":
    targets = [Site(**target) for target in json.loads(sys.argv[1])]
    threading.Thread(target=asyncio.run, args=(attack(targets),), daemon=True).start()
    sys.stdin.read()
