"""A real HTTP server on this machine that replaces the services that messages are posted to."""

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from common.safe_http import Rules


class Peer:
    """The server: the requests that it received, and its response: status, headers, body, delay in seconds."""

    def __init__(self):
        self.requests, self.bodies = [], []
        self.status, self.headers, self.body, self.hold = 200, {}, b"ok", None
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer.bodies.append(body)
                peer.requests.append((self.path, dict(self.headers), json.loads(body)))
                if peer.hold is not None:
                    peer.hold.wait(60)
                with contextlib.suppress(OSError):
                    self.answer()

            def answer(self):
                self.send_response(peer.status)
                if peer.status in (301, 302, 307):
                    self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                for name, value in peer.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(peer.body)

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        if self.hold is not None:
            self.hold.set()
        self.server.shutdown()
        self.server.server_close()


def local_rules(seconds=10):
    """Return rules that permit this machine."""
    return Rules(seconds=seconds, ports=None, permitted=lambda address: True)
