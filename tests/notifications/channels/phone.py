"""A stand-in for Twilio: checks the account, and answers as configured."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from common.safe_http import Rules
from notifications.channels.phone import twilio

SID, TOKEN, NUMBER = "AC" + "0" * 32, "a-secret-token", "+15005550006"


class FakeTwilio:
    """The server: the requests that it got, and the answers it gives, the last one forever."""

    def __init__(self):
        self.requests, self.answers, self.delay_seconds = [], [(201, {})], 0
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = {name: values[0] for name, values in parse_qs(body).items()}
                fake.requests.append((self.path, self.headers["Authorization"], fields))
                time.sleep(fake.delay_seconds)
                status, document = fake.answers[0] if len(fake.answers) == 1 else fake.answers.pop(0)
                document = {"sid": f"SM{len(fake.requests)}"} if status == 201 else document
                self.send_response(status)
                for name, value in document.get("headers", {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def connect(fake, settings, monkeypatch):
    """Make the site use the server."""
    settings.TWILIO_API_URL = fake.url
    settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, settings.TWILIO_FROM_NUMBER = SID, TOKEN, NUMBER
    rules = Rules(seconds=10, ports=None, permitted=lambda address: True)
    monkeypatch.setattr(twilio, "phone_rules", lambda: rules)
