"""A real HTTP server on this machine, in the place of the services that channels post to."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils import timezone

from common.safe_http import Rules
from notifications.channels import base
from notifications.models import ChannelPreference, ContactMethod, Message
from notifications.services.delivery import deliver_one
from tests.notifications.news import enqueue_news


class Peer:
    """The server: what it was sent, and the status it answers with."""

    def __init__(self):
        self.requests, self.status = [], 200
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer.requests.append((self.path, dict(self.headers), json.loads(body)))
                self.send_response(peer.status)
                if peer.status in (301, 302, 307):
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def peer(monkeypatch):
    peer = Peer()
    rules = Rules(seconds=10, ports=None, permitted=lambda address: True)
    monkeypatch.setattr(base, "http_rules", lambda: rules)
    yield peer
    peer.server.shutdown()
    peer.server.server_close()


@pytest.fixture
def delivered(a):
    """Return a function that sends a message to A by one channel at this address, and returns it."""

    def deliver(channel, address, **fields):
        ContactMethod.objects.update_or_create(
            person=a, channel=channel, defaults={"address": address, "shown_as": "peer", "verified_at": timezone.now()}
        )
        ChannelPreference.objects.update_or_create(person=a, type="news", defaults={"channels": [channel]})
        if not Message.objects.filter(channel=channel).exists():
            enqueue_news([a], **fields)
        Message.objects.filter(state="pending").update(due_at=timezone.now(), retry_at=timezone.now())
        deliver_one()
        return Message.objects.get(channel=channel)

    return deliver
