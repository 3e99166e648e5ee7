"""Create and change data sources. Their addresses are stored encrypted."""

import ipaddress
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from common.exceptions import InvalidInputError, NotAllowedError
from people.models import User
from validation.models import DataSource
from validation.warehouse_subprocess import QueryFailedError, SourceRefusedError, query_rows

# SQLAlchemy is a sixth of what a process loads at its start. It is imported where an address is read.
if TYPE_CHECKING:
    from sqlalchemy.engine import URL

MAX_DIALECT_LENGTH = 30
POSTGRESQL_PORT = 5432
PROBE_SECONDS = 5.0
LOCAL_SOURCE = "local"


def address_problem(address: str) -> str:
    """Return why `address` is not a valid database URL, or an empty string. Never repeats the address."""
    if not address:
        return "Enter a database URL, such as postgresql://reader:password@host/warehouse."
    try:
        _parse_address(address)
    except (ValueError, ImportError):
        return "Unsupported database URL."
    return ""


def _parse_address(address: str) -> "URL":
    """Return an address as a URL; raise ValueError if it is invalid, ImportError without its driver."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415  # see above

    from validation.warehouse_worker import parse_address  # noqa: PLC0415  # see above

    try:
        url = parse_address(address)
        url.get_dialect()
    except SQLAlchemyError as error:
        raise ValueError("Unsupported database URL.") from error
    return url


def _refusal(address: str) -> str:
    """Return why a database must not be a data source, or an empty string, also if it cannot be reached now.

    Every query is checked again, because a role may get more rights and a name may get another address.
    """
    url = _parse_address(address)
    if url.get_backend_name() == "sqlite":
        return ""
    if is_site_database(url, connection.settings_dict):
        return "This is the database of the site itself. Use another database."
    try:
        list(query_rows(address, query="SELECT 1", seconds=PROBE_SECONDS, cap=1, is_guarded=True))
    except SourceRefusedError as error:
        return error.message
    except QueryFailedError:
        return ""
    return ""


def is_site_database(url: "URL", site: Mapping[str, Any]) -> bool:
    """Return True if a URL names the site's own PostgreSQL database, however its host is written."""
    if url.get_backend_name() != "postgresql":
        return False
    hosts = _hosts(url.host or _first(url.query.get("host")) or _first(url.query.get("hostaddr")))
    ports = {str(url.port or _first(url.query.get("port")) or POSTGRESQL_PORT)}
    database = url.database or _first(url.query.get("dbname")) or url.username
    return (
        database == site["NAME"]
        and str(site.get("PORT") or POSTGRESQL_PORT) in ports
        and bool(hosts & _hosts(str(site.get("HOST") or "")))
    )


def _first(value: str | tuple[str, ...] | None) -> str:
    return (value if isinstance(value, str) else value[0]) if value else ""


def _hosts(host: str) -> set[str]:
    """Return the addresses of a host; all of this machine's are "local"."""
    name = host.strip("[]").rstrip(".").lower()
    if not name or name.startswith("/") or name == socket.gethostname().lower():
        return {LOCAL_SOURCE}
    try:
        addresses = {str(entry[4][0]) for entry in socket.getaddrinfo(name, None)}
    except (OSError, UnicodeError):
        return {name}
    parsed = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses]
    return {LOCAL_SOURCE if address.is_loopback or address.is_unspecified else str(address) for address in parsed}


def create_data_source(
    *,
    name: str,
    address: str,
    by: User,
    limit_seconds: int = 30,
    row_cap: int = 100_000,
    load_minutes: int | None = None,
) -> DataSource:
    """Create a data source and encrypt its address.

    Raises NotAllowedError if the user is not an admin, and InvalidInputError by field.
    """
    source = DataSource(name=name, limit_seconds=limit_seconds, row_cap=row_cap, load_minutes=load_minutes)
    return save_data_source(source, address=address, by=by)


@transaction.atomic
def save_data_source(source: DataSource, *, address: str, by: User) -> DataSource:
    """Save a data source; an empty `address` leaves the stored one unchanged.

    Raises NotAllowedError if the user is not an admin, and InvalidInputError by field.
    """
    if not by.is_staff:
        raise NotAllowedError("Only admins can manage data sources.")
    address = address.strip()
    if address or source.pk is None:
        problem = address_problem(address)
        problem = problem or _refusal(address)
        if problem:
            raise InvalidInputError({"address": [problem]})
        source.address = address
        source.dialect = _parse_address(address).get_backend_name()[:MAX_DIALECT_LENGTH]
    try:
        # An unchanged address is not decrypted, so that a source can be edited without its key.
        source.full_clean(exclude=() if address else ("address",))
    except ValidationError as error:
        raise InvalidInputError(
            {"detail" if name == "__all__" else name: why for name, why in error.message_dict.items()}
        ) from error
    source.save()
    return source
