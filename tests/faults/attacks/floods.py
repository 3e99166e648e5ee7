"""Attacks with as many expensive requests as the site answers: with an account, a key, a link or nothing."""

import asyncio
import functools
import gzip
import itertools
import json
import urllib.parse

ALERTS = 1_000
PREVIEW_BYTES = 64 * 1024
RETRY_SECONDS = 0.05
# Attackers without an account use another address than the team.
STRANGER = ("127.0.0.2", 0)


async def alerts(site):
    """Post 1,000 new alerts with every request."""
    number = 0
    while True:
        number += 1
        rows = [
            {
                "status": "firing",
                "labels": {"alertname": f"Alert {place}", "severity": "critical", "pipeline": site.pipeline},
                "annotations": {"summary": "Too slow. " * 10},
                "startsAt": "2026-11-29T10:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": f"{id(asyncio.current_task()):x}-{number}-{place}",
            }
            for place in range(ALERTS)
        ]
        body = json.dumps({"version": "4", "groupKey": "{}", "alerts": rows}).encode()
        await _request(site, "POST", "/api/v1/integrations/alertmanager/", body, "application/json", token=site.token)


async def previews(site):
    """Preview a text of 64 KiB that is slow to render."""
    text = ("| a | b |\n|---|---|\n" + "| **x** | [y](https://example.org) |\n" * 2000)[:PREVIEW_BYTES]
    body = urllib.parse.urlencode({"markdown": text, "csrfmiddlewaretoken": site.csrf}).encode()
    form = "application/x-www-form-urlencoded"
    while True:
        await _request(site, "POST", f"/runbooks/{site.pipeline}/preview/", body, form, cookie=site.cookie)


async def lists(site):
    """Read long lists, 500 rows at a time."""
    paths = ["alerts", "incidents", "pipelines", "messages", "external-checks"]
    while True:
        for path in paths:
            await _request(site, "GET", f"/api/v1/{path}/?page_size=500", b"", "", token=site.token)


async def pages(site):
    """Load Now, the dearest of the ordinary pages."""
    while True:
        await _request(site, "GET", "/", b"", "", cookie=site.cookie)


async def events(site):
    """Send events about new problems with a pipeline's integration key, half of them with a wrong key."""
    for number in itertools.count():
        event = {
            "routing_key": site.routing_key if number % 2 else f"{number:032}",
            "event_action": "trigger",
            "dedup_key": f"{id(asyncio.current_task()):x}-{number}",
            "payload": {
                "summary": "Late",
                "source": "attack",
                "severity": "info",
                "custom_details": {"text": "x" * 100_000},
            },
        }
        path = "/api/v1/integrations/events/v2/enqueue"
        await _request(site, "POST", path, json.dumps(event).encode(), "application/json", address=STRANGER)


async def lineage(site):
    """Send as many OpenLineage events as one call permits, each time with new jobs and datasets."""
    name = f"{id(asyncio.current_task()):x}"
    for number in itertools.count():
        batch = [
            {
                "eventType": "COMPLETE",
                "eventTime": "2026-11-29T10:00:00Z",
                "run": {"runId": f"{name}-{number}-{place}"},
                "job": {"namespace": name, "name": f"job {number}-{place}"},
                "inputs": [{"namespace": name, "name": f"in {number}-{place}-{one}"} for one in range(9)],
                "outputs": [{"namespace": name, "name": f"out {number}-{place}"}],
            }
            for place in range(1_000)
        ]
        body = json.dumps(batch).encode()
        await _request(site, "POST", "/api/v1/integrations/openlineage/", body, "application/json", token=site.token)


async def manifests(site):
    """Import hostile dbt manifests."""
    for body in itertools.cycle(_manifests()):
        await _request(site, "POST", "/api/v1/integrations/dbt/", body, "application/gzip", token=site.token)


@functools.cache
def _manifests():
    """Return manifests: an entry of 50 MB, endless nesting, a huge name, and as many parents as are allowed."""
    head = b'{"metadata":{"dbt_schema_version":"https://schemas.getdbt.com/dbt/manifest/v12.json","project_name":"x"},"nodes":'
    names = [f"model.x.m{number}" for number in range(1_000)]
    nodes = {key: {"resource_type": "model", "name": key, "depends_on": {"nodes": names[:499]}} for key in names}
    files = [
        head + b'{"a":"' + b"x" * 50_000_000 + b'"}}',
        head + b'{"a":' + b"[" * 1_000_000,
        head + json.dumps({f"model.x.{'n' * 1_000_000}": {"resource_type": "model"}}).encode() + b"}",
        head + json.dumps(nodes).encode() + b"}",
    ]
    return [gzip.compress(file, 1) for file in files]


async def readers(site):
    """Load a reader page, its badges and its form without an account, and subscribe strangers."""
    link = f"/readers/{site.readers_link}/"
    while True:
        for path in (link, f"{link}{site.pipeline}.svg", f"{link}subscribe/", "/readers/unknown/"):
            await _request(site, "GET", path, b"", "", address=STRANGER)


async def hooks(site):
    """Answer pages in other people's names, with forged signatures of the SMS and voice provider."""
    form = "application/x-www-form-urlencoded"
    fields = {"From": "+491512345678", "Body": "a", "Digits": "1"} | {
        f"field{number}": "x" * 900 for number in range(900)
    }
    body = urllib.parse.urlencode(fields).encode()
    while True:
        for kind in ("sms", "call", "status"):
            await _request(
                site, "POST", f"/hooks/phone/{kind}/?message=forged", body, form, address=STRANGER,
                headers=("X-Twilio-Signature: AAAAAAAAAAAAAAAAAAAAAAAAAAA=",),
            )  # fmt: skip


async def push(site):
    """Make the site send push messages to addresses of its own network."""
    keys = {"p256dh": "B" * 87, "auth": "A" * 22}
    hosts = ("127.0.0.1", "[::ffff:10.0.0.1]", "169.254.169.254", "localhost", "fcm.googleapis.com.internal")
    while True:
        for host in hosts:
            body = json.dumps({"endpoint": f"https://{host}/x", "keys": keys}).encode()
            await _request(site, "POST", "/api/v1/me/push-devices/", body, "application/json", token=site.token)


async def _request(site, method, path, body, content_type, *, token="", cookie="", address=None, headers=()):
    """Make a request on a new connection, from an address of this machine, and count its status."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{site.port}", "Connection: close", *headers]
    lines += [f"Content-Length: {len(body)}", f"Content-Type: {content_type}"] if body else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Cookie: {cookie}", f"Origin: http://localhost:{site.port}"] if cookie else []
    status = "none"
    try:
        reader, writer = await asyncio.open_connection(site.host, site.port, local_addr=address)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            await writer.drain()
            answer = await reader.read()
            status = answer[9:12].decode() or "none"
        finally:
            writer.close()
    except OSError:
        await asyncio.sleep(RETRY_SECONDS)
    site.counts[status] += 1
    if status == "429":
        # A caller who does not wait as long as the answer says, but does not use all the processor of this machine either.
        await asyncio.sleep(RETRY_SECONDS)
