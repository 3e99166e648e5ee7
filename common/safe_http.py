"""HTTP client for user-supplied URLs that never connects to the internal network."""

import socket
import time
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

Address = IPv4Address | IPv6Address

REDIRECTS = 3
REDIRECTING = {301, 302, 303, 307, 308}
PORTS = frozenset({80, 443, 8080, 8443})
DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST_ADDRESS = 2_000
# NAT64 prefixes: the embedded IPv4 address is checked (RFC 6052, RFC 8215).
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
# Obsolete ranges that may lead anywhere (6to4, Teredo, IPv4-compatible, site-local).
NEVER = (IPv6Network("2002::/16"), IPv6Network("2001::/32"), IPv6Network("::/96"), IPv6Network("fec0::/10"))


class UnreachableError(Exception):
    """The URL cannot or must not be fetched; the message reveals nothing about the internal network."""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """A response body and the final URL after redirects."""

    body: bytes
    address: str


def resolve(host: str, port: int) -> list[Address]:
    """Resolve a host to all its addresses; raise UnreachableError if it is unknown."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnreachableError(f"The host {host} is not known.") from error
    return [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]


def is_public(address: Address) -> bool:
    """Return True if the address is public; for a mapped or translated address, if the embedded one is."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in TRANSLATED):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if any(address in network for network in NEVER):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_link_local)


@dataclass(frozen=True, slots=True)
class Rules:
    """Limits and permitted addresses of a fetch; tests replace the resolver and the check."""

    limit_bytes: int = 512 * 1024
    seconds: float = 10.0
    ports: frozenset[int] | None = PORTS
    resolve: Callable[[str, int], Iterable[Address]] = resolve
    permitted: Callable[[Address], bool] = is_public


def fetch(address: str, *, rules: Rules | None = None) -> FetchResult:
    """Fetch a URL with GET; raise UnreachableError if that fails.

    Every connection, of redirects too, goes to an address that was looked at after it was resolved, so that a name that
    means another address a moment later changes nothing. No proxy, no cookies, no compressed body; one limit of time for
    all of it, also against a server that drips.
    """
    rules = rules or Rules()
    until = time.monotonic() + rules.seconds
    for _ in range(REDIRECTS + 1):
        parts = checked(address, ports=rules.ports)
        answer = _get(address, rules=rules, until=until)
        if isinstance(answer, bytes):
            return FetchResult(answer, address)
        following = urljoin(address, answer)
        if parts.scheme == "https" and urlsplit(following).scheme != "https":
            raise UnreachableError("The address redirects from https to something else.")
        address = following
    raise UnreachableError(f"The address redirects more than {REDIRECTS} times.")


def checked(address: str, *, ports: frozenset[int] | None = PORTS) -> SplitResult:
    """Return the parts of a permitted URL; raise UnreachableError otherwise. Does not resolve the host."""
    if len(address) > LONGEST_ADDRESS or any(not "!" <= sign <= "~" for sign in address):
        raise UnreachableError("The address has signs that an address does not have, or is too long.")
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UnreachableError("The address cannot be read.") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise UnreachableError("The address begins with neither https:// nor http://.")
    if parts.username is not None or parts.password is not None or not parts.hostname:
        raise UnreachableError("The address names no host, or carries a user name or a password.")
    if ports is not None and port not in ports:
        raise UnreachableError(f"Port {port} is not one that calendars are read from.")
    return parts


def _get(address: str, *, rules: Rules, until: float) -> bytes | str:
    """Return the response body, or the redirect location as a string."""
    backend = _CheckedBackend(rules, until=until)
    headers: list[tuple[bytes | str, bytes | str]] = [
        ("Host", urlsplit(address).netloc),
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "oncall-site"),
        ("Connection", "close"),
    ]
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend, retries=0, max_keepalive_connections=0) as pool,
            pool.stream("GET", address, headers=headers) as answer,
        ):
            given = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
            if answer.status in REDIRECTING and "location" in given:
                return given["location"]
            if answer.status != 200:
                raise UnreachableError(f"The address answers {answer.status}.")
            if given.get("content-encoding", "identity").lower() != "identity":
                raise UnreachableError("The address answers with a compressed body, though none was asked for.")
            return _body(answer.iter_stream(), limit=rules.limit_bytes)
    except (httpcore.TimeoutException, TimeoutError) as error:
        raise UnreachableError(f"The address did not answer within {rules.seconds:.0f} seconds.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, OSError) as error:
        raise UnreachableError("The address does not answer as a web server does.") from error


def _body(chunks: Iterable[bytes], *, limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise UnreachableError(f"The address answers with more than {limit // 1024} KiB.")
    return bytes(body)


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
        found = list(self.rules.resolve(host, port))
        if not found or not all(self.rules.permitted(address) for address in found):
            raise UnreachableError("The address is not one of the open internet.")
        stream = self.inner.connect_tcp(str(found[0]), port, timeout=_left(self.until))
        return _TimedStream(stream, until=self.until)


class _TimedStream(httpcore.NetworkStream):
    """Network stream whose operations share one deadline."""

    def __init__(self, inner: httpcore.NetworkStream, *, until: float) -> None:
        self.inner, self.until = inner, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read within the remaining time."""
        return self.inner.read(max_bytes, timeout=_left(self.until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write within the remaining time."""
        self.inner.write(buffer, timeout=_left(self.until))

    def close(self) -> None:
        """Close the connection."""
        self.inner.close()

    def start_tls(
        self, ssl_context: typing.Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Start TLS and verify the certificate for the requested host."""
        inner = self.inner.start_tls(ssl_context, server_hostname=server_hostname, timeout=_left(self.until))
        return _TimedStream(inner, until=self.until)

    def get_extra_info(self, info: str) -> typing.Any:
        """Return information about the connection."""
        return self.inner.get_extra_info(info)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
