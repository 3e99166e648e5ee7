"""Reading an HTTP request."""

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def query_param(request: HttpRequest, name: str, default: str = "") -> str:
    """Return a query parameter without NUL, which no column can hold, so that looking it up finds nothing."""
    return str(request.GET.get(name, default)).replace("\0", "")


def client_address(request: HttpRequest) -> str:
    """Return the client's IP address; for IPv6, its /64 network.

    Behind a proxy or our own nginx it is the last entry of X-Forwarded-For, the one that it wrote: a client can forge those before it.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY or settings.BEHIND_FRONT:
        peer = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or ip_network(f"{address}/64", strict=False))
    return str(address)
