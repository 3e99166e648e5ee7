"""Prepare the outbox of a database that was restored from a backup."""

from django.db.models.functions import Now

from notifications.models import Message

RESTORED = "The site was restored from a backup. This may have been sent after the backup was made."


def drop_possibly_sent() -> int:
    """Drop waiting messages that are due by the database's clock, so that nothing is sent twice; return their number.

    The site went on sending after the backup was made, and the backup does not contain that. Messages due later stay. Run it
    before the first worker starts on the restored database.
    """
    due = Message.objects.waiting().filter(due_at__lte=Now())
    return due.update(state=Message.State.DROPPED, problem=RESTORED, token=None, lease_until=None)
