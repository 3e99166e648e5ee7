"""Promise 20: fetching a user-supplied URL never connects to the internal network."""

import contextlib
import http.server
import socket
import threading
import time
from ipaddress import ip_address

import pytest

from common.safe_http import Rules, UnreachableError, fetch, is_public
from tests.each import each

BODY = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
PUBLIC = "93.184.216.34"


class Inner(http.server.BaseHTTPRequestHandler):
    """A server on the internal network that must not be reached unless a test permits it."""

    def do_GET(self):
        self.server.asked.append(self.path)
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path[4:].replace("PORT", str(self.server.server_port)))
            self.end_headers()
            return
        if self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            with contextlib.suppress(OSError):
                for _ in range(100):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            return
        body = b"x" * 2_000 if self.path == "/large" else BODY
        self.send_response(404 if self.path == "/nothing" else 200)
        if self.path == "/packed":
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def inner():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Inner)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def names(table):
    """Return a resolver of these names; each look-up of a name with several answers gives the next of them."""
    asked = {}

    def resolve(host, port):
        if host not in table:
            return [
                ip_address(actual[4][0].partition("%")[0])
                for actual in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            ]
        answers = table[host]
        place = asked[host] = asked.get(host, -1) + 1
        return [ip_address(one) for one in answers[min(place, len(answers) - 1)]]

    return resolve


INTERNAL = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "198.18.0.1", "192.0.2.1", "192.0.0.192", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fc00::1", "fd12:3456::1", "fe80::1", "fec0::1", "ff02::1", "fd00:ec2::254",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip


@each("address", INTERNAL)
def test_an_internal_address_is_not_public(address):
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_an_internet_address_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", INTERNAL)
def test_a_host_with_an_internal_address_is_not_connected_to(inner, address):
    rules = Rules(ports=None, resolve=names({"calendar.example": [[address]]}))
    with pytest.raises(UnreachableError):
        fetch(f"http://calendar.example:{inner.server_port}/", rules=rules)
    assert inner.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "127.1", "0", "[::1]",
     "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[::]", "[fe80::1%25lo]"],
)  # fmt: skip
def test_no_spelling_of_an_internal_address_is_connected_to(inner, host):
    with pytest.raises(UnreachableError):
        fetch(f"http://{host}:{inner.server_port}/", rules=Rules(ports=None))
    assert inner.asked == []


@each(
    "address",
    ["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "//example.org/", "example.org", "", "http://",
     "http://user@example.org/", "http://user:word@example.org/", "http://example.org:22/", "http://example.org:6379/",
     "http://example.org:99999/", "http://exa mple.org/", "http://example.org/\r\nHost: inner", "http://example.org/\0",
     "http://[::1/", "javascript:alert(1)", "http://example.org/" + "x" * 2_000, "http://ex\u0430mple.org/"],
)  # fmt: skip
def test_an_invalid_url_is_not_even_resolved(address):
    def never(host, port):
        raise AssertionError("the host was resolved")

    with pytest.raises(UnreachableError):
        fetch(address, rules=Rules(resolve=never))


def test_one_internal_address_among_public_ones_is_refused(inner):
    rules = Rules(ports=None, resolve=names({"mixed.example": [[PUBLIC, "127.0.0.1"]]}))
    with pytest.raises(UnreachableError, match="public address"):
        fetch(f"http://mixed.example:{inner.server_port}/", rules=rules)
    assert inner.asked == []


def outside(inner, **table):
    """Return rules under which this test's server is public, as outside.example."""
    server_address = ip_address("127.0.0.1")
    resolve = names({"outside.example": [["127.0.0.1"]], **table})
    return Rules(
        ports=None,
        limit_bytes=1_000,
        seconds=1.0,
        resolve=resolve,
        permitted=lambda address: address == server_address or is_public(address),
    )


def at(inner, path):
    return f"http://outside.example:{inner.server_port}{path}"


def test_a_public_url_is_fetched(inner):
    assert fetch(at(inner, "/"), rules=outside(inner)).body == BODY


def test_a_redirect_is_followed_and_checked_again(inner):
    assert fetch(at(inner, "/to//there"), rules=outside(inner)).body == BODY
    assert inner.asked == ["/to//there", "/there"]
    for target in ("http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]:PORT/secret", "file:///etc/passwd",
                   "gopher://127.0.0.1:6379/", "http://inner.example:PORT/secret", "//user@outside.example/"):  # fmt: skip
        inner.asked.clear()
        with pytest.raises(UnreachableError):
            fetch(at(inner, f"/to/{target}"), rules=outside(inner, **{"inner.example": [["192.168.0.1"]]}))
        assert inner.asked == [f"/to/{target}"]


def test_a_redirect_loop_is_refused(inner):
    with pytest.raises(UnreachableError, match="more than 3 times"):
        fetch(at(inner, "/to//to//to//to//to//there"), rules=outside(inner))


def test_dns_rebinding_has_no_effect(inner):
    # The first lookup is public; a second one would be internal, so there must be none.
    lookups = []

    def rebinding(host, port):
        lookups.append(host)
        return [ip_address(PUBLIC if len(lookups) == 1 else "127.0.0.1")]

    rules = Rules(ports=None, seconds=0.5, resolve=rebinding)
    with pytest.raises(UnreachableError):
        fetch(f"http://rebinding.example:{inner.server_port}/", rules=rules)
    assert lookups == ["rebinding.example"]
    assert inner.asked == []


@pytest.mark.parametrize(
    ("path", "error"),
    [("/large", "larger than"), ("/drip", "within 1 seconds"), ("/nothing", "status 404"), ("/packed", "compressed")],
)
def test_an_unusable_response_is_refused(inner, path, error):
    with pytest.raises(UnreachableError, match=error):
        fetch(at(inner, path), rules=outside(inner))


def test_a_proxy_from_the_environment_is_ignored(inner, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{inner.server_port}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{inner.server_port}")
    with pytest.raises(UnreachableError):
        fetch("http://calendar.example/", rules=Rules(seconds=0.5, resolve=names({"calendar.example": [[PUBLIC]]})))
    assert inner.asked == []
