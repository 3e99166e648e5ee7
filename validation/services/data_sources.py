"""Create and change data sources. Their addresses are stored encrypted."""

from django.core.exceptions import ValidationError
from django.db import transaction
from sqlalchemy.exc import SQLAlchemyError

from common.exceptions import InvalidInputError, NotAllowedError
from people.models import User
from validation.models import DataSource
from validation.warehouse_worker import parse_address

MAX_DIALECT_LENGTH = 30


def address_problem(address: str) -> str:
    """Return why `address` is not a valid database URL, or an empty string. Never repeats the address."""
    if not address:
        return "Enter a database URL, such as postgresql://reader:password@host/warehouse."
    try:
        parse_address(address).get_dialect()
    except (SQLAlchemyError, ValueError, ImportError):
        return "Unsupported database URL."
    return ""


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
        if problem:
            raise InvalidInputError({"address": [problem]})
        source.address = address
        source.dialect = parse_address(address).get_backend_name()[:MAX_DIALECT_LENGTH]
    try:
        # An unchanged address is not decrypted, so that a source can be edited without its key.
        source.full_clean(exclude=() if address else ("address",))
    except ValidationError as error:
        raise InvalidInputError(
            {"detail" if name == "__all__" else name: why for name, why in error.message_dict.items()}
        ) from error
    source.save()
    return source
