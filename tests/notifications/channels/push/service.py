"""A push service on this machine: reads and checks what it is sent as a browser would, and answers as configured."""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from py_vapid import Vapid02

from notifications.channels.push.encryption import CURVE, encode, public_bytes

AUTH = b"0123456789abcdef"


@dataclass
class Browser:
    """A browser's subscription: the answers of its push service, in order, and what arrived."""

    endpoint: str
    private: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(CURVE))
    answers: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    @property
    def subscription(self):
        """What `PushSubscription.toJSON()` returns in a browser."""
        keys = {"p256dh": encode(public_bytes(self.private.public_key())), "auth": encode(AUTH)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    @property
    def payloads(self):
        return [json.loads(payload) for _, payload in self.requests]

    @property
    def headers(self):
        return [headers for headers, _ in self.requests]


class PushService:
    """The server. An answer is a status, or a status with headers."""

    def __init__(self):
        self.browsers, self.waits = {}, {}
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                browser = service.browsers[self.path]
                assert Vapid02.verify(self.headers["Authorization"]) is True
                assert self.headers["Content-Encoding"] == "aes128gcm"
                plaintext = http_ece.decrypt(body, private_key=browser.private, auth_secret=AUTH, version="aes128gcm")
                browser.requests.append((dict(self.headers), plaintext))
                service.waits[self.path]()
                answer = browser.answers.pop(0) if browser.answers else 201
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def browser(self, *answers, wait=lambda: None):
        """Return a new subscription at this service, which calls `wait` before it answers."""
        path = f"/device/{len(self.browsers)}"
        browser = Browser(f"http://127.0.0.1:{self.server.server_port}{path}", answers=list(answers))
        self.browsers[path], self.waits[path] = browser, wait
        return browser

    def close(self):
        self.server.shutdown()
        self.server.server_close()
