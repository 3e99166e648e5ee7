"""What may be done by one transaction at a time."""

from django.db import connection


def wait_for_turn(what: str) -> None:
    """Wait until no other transaction does the same, and keep others waiting until this one ends; rows stay free."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [what])
