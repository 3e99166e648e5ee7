"""App configuration."""

from django.apps import AppConfig
from django.db.models.expressions import Col


def hash_column(column: Col) -> int:
    """Return a hash of a column in a query. Equal columns have equal hashes.

    Django's own hash compares the arguments of constructors, which takes a tenth of a short request: for each query with an order,
    Django 5.2 puts all columns into a dictionary.
    """
    return hash((column.alias, column.target.name))


class CommonConfig(AppConfig):
    name = "common"

    def ready(self) -> None:
        """Make hashing columns cheap."""
        Col.__hash__ = hash_column  # type: ignore[assignment, method-assign]
