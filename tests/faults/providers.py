"""One HTTP server in place of every channel's service: it checks requests, fails now and then, records the rest."""

import json
import os
import random
import re
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import http_ece
from py_vapid import Vapid02

from common.safe_http import Rules
from notifications.channels.push.endpoints import endpoint_digest
from notifications.models import ContactMethod, PushDevice
from notifications.queries.contact_methods import address_digest
from notifications.services.push_devices import ensure_site_key
from tests.notifications.channels.phone import NUMBER, SID, TOKEN
from tests.notifications.channels.push.service import AUTH, Browser

PROVIDERS_VARIABLE = "TEST_PROVIDERS_URL"
CHANNELS = ("push", "sms", "voice", "ntfy", "gotify", "slack", "webhook", "chat")
BUSY_SHARE, TOO_MANY_SHARE = 0.05, 0.02
TITLE = re.compile(r"No\. \d+-\d+")
RESOURCES = {"Messages": "sms", "Calls": "voice"}


class Providers:
    """The server. `accepted` counts what it accepted, by channel and the title of the incident."""

    def __init__(self):
        self.accepted, self.lock = Counter(), threading.Lock()
        self.source = random.Random(35)
        self.browser = Browser("")
        providers = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers, document = providers.answer(self.path, self.headers, body)
                content = json.dumps(document).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Killed workers do not read their answers.
        self.server.handle_error = lambda *arguments: None
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, path, headers, body):
        """Return status, headers and content of the answer to a request; count it if it is accepted."""
        with self.lock:
            dice = self.source.random()
        if dice < BUSY_SHARE:
            return 503, {}, {}
        if dice < BUSY_SHARE + TOO_MANY_SHARE:
            return 429, {"Retry-After": "1"}, {"retry_after": 0.1}
        channel, text = self.read(path, headers, body)
        with self.lock:
            self.accepted[channel, TITLE.search(text)[0]] += 1
        return 201 if channel in ("push", "sms", "voice") else 200, {}, {"sid": "SM1"}

    def read(self, path, headers, body):
        """Return the channel and the text of a request; raise AssertionError if the service would refuse it."""
        _, channel, *_ = path.split("/")
        if channel == "push":
            assert Vapid02.verify(headers["Authorization"]) is True
            plain = http_ece.decrypt(body, private_key=self.browser.private, auth_secret=AUTH, version="aes128gcm")
            return channel, plain.decode()
        if channel == "2010-04-01":
            assert f"/Accounts/{SID}/" in path
            resource = path.rpartition("/")[2].removesuffix(".json")
            return RESOURCES[resource], str(parse_qs(body.decode()))
        # ntfy takes the topic in the body, at its root.
        return channel or "ntfy", body.decode()

    def add_contact_methods(self, person, *, at):
        """Give a person a live contact method of every channel, at this server."""
        addresses = {
            "sms": f"+49151{person.pk:08}",
            "voice": f"+49301{person.pk:08}",
            "ntfy": f"{self.url}/topic{person.pk}",
            "gotify": f"{self.url}/gotify?token=t{person.pk}",
            "slack": f"{self.url}/slack/{person.pk}",
            "webhook": f"{self.url}/webhook/{person.pk}",
            "chat": f"discord://{10**17 + person.pk}/{'t' * 64}",
        }
        ContactMethod.objects.bulk_create(
            ContactMethod(
                person=person, channel=channel, address=address, shown_as="test", verified_at=at,
                address_digest=address_digest(channel, address),
            )
            for channel, address in addresses.items()
        )  # fmt: skip
        endpoint = f"{self.url}/push/{person.pk}"
        PushDevice.objects.create(
            person=person, name="Phone", endpoint=endpoint, endpoint_digest=endpoint_digest(endpoint), service="test",
            **self.browser.subscription["keys"],
        )  # fmt: skip

    def settings(self):
        """Return the environment of a site that uses this server."""
        ensure_site_key()
        return {
            PROVIDERS_VARIABLE: self.url,
            "TWILIO_API_URL": self.url,
            "TWILIO_ACCOUNT_SID": SID,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": NUMBER,
            "PHONE_MAX_PER_DAY": "1000000",
        }

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def use_providers():
    """Let this process's channels connect to the server that the environment names, which has no public address."""
    url = os.environ.get(PROVIDERS_VARIABLE)
    if not url:
        return
    limit_bytes, seconds, _, resolve, _ = Rules.__init__.__defaults__
    Rules.__init__.__defaults__ = (limit_bytes, seconds, None, resolve, lambda address: True)
    from apprise.plugins.discord import NotifyDiscord

    NotifyDiscord.notify_url = f"{url}/chat"
