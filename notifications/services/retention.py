"""Delete finished messages after a while, so that the outbox does not grow without limit."""

import datetime as dt

from django.conf import settings
from django.db import transaction

from notifications.models import Message

# Rows per transaction, so that none holds locks for long.
BATCH_SIZE = 1000


@transaction.atomic
def purge_finished() -> int:
    """Delete a batch of finished messages that expired MESSAGE_KEPT_DAYS ago or earlier; return how many.

    The expiry counts, not the time of sending: until then a sweep may reach the same occurrence again, and the row is what
    prevents a duplicate. Failed messages stay until an admin has dealt with them.
    """
    retention = dt.timedelta(days=settings.MESSAGE_KEPT_DAYS)
    old = Message.objects.finished_for(retention).select_for_update(skip_locked=True, of=("self",))
    keys = list(old.order_by("expires_at").values_list("pk", flat=True)[:BATCH_SIZE])
    Message.objects.filter(pk__in=keys).delete()
    return len(keys)
