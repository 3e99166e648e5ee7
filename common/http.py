"""Reading an HTTP request, and remembering the filters of a list."""

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme

# The browser keeps the filters of a list for a year.
FILTERS_MAX_AGE_SECONDS = 365 * 24 * 3600
MAX_FILTERS_LENGTH = 1000
BODY_CHUNK_BYTES = 1 << 16


def discard_body(request: HttpRequest) -> None:
    """Read and drop the rest of the body. Without this, the connection may close before the client has read the response."""
    while request.read(BODY_CHUNK_BYTES):
        pass


def query_param(request: HttpRequest, name: str, default: str = "") -> str:
    """Return a query parameter without NUL, which no column can hold, so that looking it up finds nothing."""
    return str(request.GET.get(name, default)).replace("\0", "")


def local_path(request: HttpRequest, url: str) -> str:
    """Return the path, query and fragment of a URL that a client sent, or "" if it is not a URL of this site.

    The path is always absolute, because `redirect` would treat any other text as the name of a route.
    """
    hosts = {request.get_host()}
    if not url.isprintable() or not url_has_allowed_host_and_scheme(url, hosts, require_https=request.is_secure()):
        return ""
    path = urlsplit(url)._replace(scheme="", netloc="").geturl()
    return path if path.startswith("/") and not path.startswith("//") else ""


def next_path(request: HttpRequest, default: str) -> str:
    """Return the path in the form field or query parameter `next` if it is a page of this site, or else `default`."""
    return local_path(request, str(request.POST.get("next", request.GET.get("next", "")))) or default


def with_query(path: str, query: QueryDict) -> str:
    """Return a path with its query string, if any."""
    return f"{path}?{query.urlencode()}" if query else path


def redirect_to_part(part: str, page: str, **arguments: object) -> HttpResponseRedirect:
    """Redirect to the element with the ID `part` on a page; `page` is the name of its URL."""
    return HttpResponseRedirect(f"{resolve_url(page, **arguments)}#{part}")


def filters_in_use(request: HttpRequest, *, cookie: str, names: Sequence[str]) -> QueryDict:
    """Return the filters in the URL or, if it names none, those of the last visit, without NUL."""
    chosen = request.GET if any(name in request.GET for name in names) else _stored_filters(request, cookie)
    filters = QueryDict(mutable=True)
    for name in names:
        if value := chosen.get(name, "").replace("\0", "").strip():
            filters[name] = value
    return filters


def _stored_filters(request: HttpRequest, cookie: str) -> QueryDict:
    """Return the filters in a cookie, or none if it has too many fields: an error would last as long as the cookie, a year."""
    try:
        return QueryDict(request.COOKIES.get(cookie, "")[:MAX_FILTERS_LENGTH])
    except TooManyFieldsSent:
        return QueryDict()


def remember_filters(response: HttpResponse, filters: QueryDict, *, cookie: str) -> None:
    """Keep the filters of a list in a cookie for the next visit, or delete it if there are none."""
    text = filters.urlencode()
    if text and len(text) <= MAX_FILTERS_LENGTH:
        response.set_cookie(
            cookie, text, max_age=FILTERS_MAX_AGE_SECONDS, samesite="Lax", secure=settings.HTTPS, httponly=True
        )
    else:
        response.delete_cookie(cookie, samesite="Lax")


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
