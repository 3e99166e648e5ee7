"""HTTP client for user-supplied URLs that never connects to the internal network."""

import contextlib
import socket
import time
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

Address = IPv4Address | IPv6Address

MAX_REDIRECTS = 3
REDIRECT_STATUSES = {301, 302, 303, 307, 308}
WEB_PORTS = frozenset({80, 443, 8080, 8443})
DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_LENGTH = 2_000
# NAT64 prefixes: the embedded IPv4 address is checked (RFC 6052, RFC 8215).
NAT64_NETWORKS = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# Obsolete ranges that may lead anywhere (6to4, Teredo, IPv4-compatible, site-local).
FORBIDDEN_NETWORKS = (
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("::/96"),
    IPv6Network("fec0::/10"),
)
# Not reachable from outside, but this version of Python calls them global: IETF protocol assignments and Azure's
# platform.
PLATFORM_NETWORKS = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))


class UnreachableError(Exception):
    """The URL cannot or must not be fetched; the message reveals nothing about the internal network."""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A response body and the final URL after redirects."""

    body: bytes
    address: str


@dataclass(frozen=True, slots=True)
class PostResult:
    """The answer to a POST: status, headers by their name in lower case, and the first bytes of the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def resolve(host: str, port: int) -> list[Address]:
    """Resolve a host to all its addresses; raise UnreachableError if it is unknown."""
    try:
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"Unknown host {host}.") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries]


def is_public(address: Address) -> bool:
    """Return True if the address is public; for a mapped or translated address, if the embedded one is."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in NAT64_NETWORKS):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(address in network for network in FORBIDDEN_NETWORKS):
            return False
    if any(address in network for network in PLATFORM_NETWORKS):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits and permitted addresses of a fetch; tests replace the resolver and the check."""

    limit_bytes: int = 512 * 1024
    seconds: float = 10.0
    ports: frozenset[int] | None = WEB_PORTS
    resolve: Callable[[str, int], Iterable[Address]] = resolve
    permitted: Callable[[Address], bool] = is_public


def fetch(address: str, *, rules: Rules | None = None) -> FetchResult:
    """Fetch a URL with GET; raise UnreachableError if that fails.

    Every connection, redirects included, goes to an address that was checked after it was resolved, so DNS rebinding has no
    effect. No proxy, no cookies, no compressed body. One deadline covers everything, so a slow body cannot extend it.
    """
    rules = rules or Rules()
    until = time.monotonic() + rules.seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = check_url(address, ports=rules.ports)
        answer = _get(address, rules=rules, until=until)
        if isinstance(answer, bytes):
            return FetchResult(answer, address)
        target = urljoin(address, answer)
        if parts.scheme == "https" and urlsplit(target).scheme != "https":
            raise UnreachableError("The URL redirects from https to another scheme.")
        address = target
    raise UnreachableError(f"The URL redirects more than {MAX_REDIRECTS} times.")


def post_bytes(
    address: str, *, body: bytes, headers: Mapping[str, str], rules: Rules | None = None, answer_bytes: int = 0
) -> PostResult:
    """Post a body of any type to a URL and return the answer with up to `answer_bytes` of its body.

    Raises UnreachableError if there is none. It has the limits of `fetch`, and follows no redirect: a body must not go where
    nobody sent it.
    """
    rules = rules or Rules()
    check_url(address, ports=rules.ports)
    until = time.monotonic() + rules.seconds
    lines = [*_headers(address), *headers.items(), ("Content-Length", str(len(body)))]
    with (
        _network_errors(rules),
        httpcore.ConnectionPool(
            network_backend=_CheckedBackend(rules, until=until), retries=0, max_keepalive_connections=0
        ) as pool,
        pool.stream("POST", address, headers=lines, content=body) as answer,
    ):
        received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        start = _first_bytes(answer.iter_stream(), count=answer_bytes) if answer_bytes else b""
        return PostResult(answer.status, received, start)


def check_url(address: str, *, ports: frozenset[int] | None = WEB_PORTS) -> SplitResult:
    """Return the parts of a permitted URL; raise UnreachableError otherwise. Does not resolve the host."""
    if len(address) > MAX_URL_LENGTH:
        raise UnreachableError(f"The URL is longer than {MAX_URL_LENGTH:,} characters.")
    if any(not "!" <= character <= "~" for character in address):
        raise UnreachableError("Enter a URL without spaces or special characters, such as https://example.org/path.")
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UnreachableError("This is not a valid URL.") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise UnreachableError("The URL must start with https:// or http://.")
    if parts.username is not None or parts.password is not None or not parts.hostname:
        raise UnreachableError("The URL needs a host and must not contain a user name or password.")
    if ports is not None and port not in ports:
        raise UnreachableError(f"Port {port} is not allowed.")
    return parts


def _get(address: str, *, rules: Rules, until: float) -> bytes | str:
    """Return the response body, or the redirect location as a string."""
    backend = _CheckedBackend(rules, until=until)
    with (
        _network_errors(rules),
        httpcore.ConnectionPool(network_backend=backend, retries=0, max_keepalive_connections=0) as pool,
        pool.stream("GET", address, headers=_headers(address)) as answer,
    ):
        headers_received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if answer.status in REDIRECT_STATUSES and "location" in headers_received:
            return headers_received["location"]
        if answer.status != 200:
            raise UnreachableError(f"The server returned status {answer.status}.")
        if headers_received.get("content-encoding", "identity").lower() != "identity":
            raise UnreachableError("The server sent a compressed body, which is not supported.")
        return _body(answer.iter_stream(), limit=rules.limit_bytes)


def _headers(address: str) -> list[tuple[bytes | str, bytes | str]]:
    return [
        ("Host", urlsplit(address).netloc),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "oncall-site"),
        ("Connection", "close"),
    ]


@contextlib.contextmanager
def _network_errors(rules: Rules) -> typing.Iterator[None]:
    """Turn network errors into UnreachableError, with a text that reveals nothing about the network."""
    try:
        yield
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise UnreachableError(f"The server did not answer within {rules.seconds:.0f} seconds.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
        raise UnreachableError("The server could not be reached.") from error


def _body(chunks: Iterable[bytes], *, limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise UnreachableError(f"The response is larger than {limit // 1024} KiB.")
    return bytes(body)


def _first_bytes(chunks: Iterable[bytes], *, count: int) -> bytes:
    start = bytearray()
    for chunk in chunks:
        start += chunk
        if len(start) >= count:
            break
    return bytes(start[:count])


class _CheckedBackend(httpcore.NetworkBackend):
    """Network backend that connects to checked addresses only and enforces the deadline."""

    def __init__(self, rules: Rules, *, until: float) -> None:
        self.rules, self.until = rules, until
        self.inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: typing.Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to a host's first address; raise UnreachableError unless every address is permitted."""
        addresses = list(self.rules.resolve(host, port))
        if not addresses or not all(self.rules.permitted(address) for address in addresses):
            raise UnreachableError("The URL does not lead to a public address.")
        stream = self.inner.connect_tcp(str(addresses[0]), port, timeout=_remaining(self.until))
        return _TimedStream(stream, until=self.until)


class _TimedStream(httpcore.NetworkStream):
    """Network stream whose operations share one deadline."""

    def __init__(self, inner: httpcore.NetworkStream, *, until: float) -> None:
        self.inner, self.until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within the remaining time."""
        return self.inner.read(max_bytes, timeout=_remaining(self.until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within the remaining time."""
        self.inner.write(buffer, timeout=_remaining(self.until))

    def close(self) -> None:
        """Close the connection."""
        self.inner.close()

    def start_tls(
        self, ssl_context: typing.Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS and verify the certificate for the requested host."""
        inner = self.inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=_remaining(self.until))
        return _TimedStream(inner, until=self.until)

    def get_extra_info(self, info: str) -> typing.Any:
        """Return information about the connection."""
        return self.inner.get_extra_info(info)


def _remaining(until: float) -> float:
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
