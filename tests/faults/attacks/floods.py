"""Attacks with an account: as many expensive requests as the site answers."""

import asyncio
import json
import urllib.parse

ALERTS = 1_000
PREVIEW_BYTES = 64 * 1024
RETRY_SECONDS = 0.05


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


async def _request(site, method, path, body, content_type, *, token="", cookie=""):
    """Make a request on a connection of its own and count its status."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{site.port}", "Connection: close"]
    lines += [f"Content-Length: {len(body)}", f"Content-Type: {content_type}"] if body else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Cookie: {cookie}", f"Origin: http://localhost:{site.port}"] if cookie else []
    status = "none"
    try:
        reader, writer = await asyncio.open_connection(site.host, site.port)
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
