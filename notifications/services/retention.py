"""What becomes of messages that were delivered long ago: they are removed, so that the outbox does not grow for ever."""

import datetime as dt

from django.conf import settings
from django.db import transaction

from notifications.models import Message

# So many rows a transaction: none of them holds a lock for long.
BATCH = 1000


@transaction.atomic
def purge_finished() -> int:
    """Remove a batch of the messages that are finished and were of no more use for as long as is set; return how many.

    By the end of its use, not by when it was sent: until then a sweep may come to the same occurrence again, and the row's key
    is what says that it was told. What failed stays until somebody has looked at it.
    """
    kept = dt.timedelta(days=settings.MESSAGE_KEPT_DAYS)
    old = Message.objects.finished_for(kept).select_for_update(skip_locked=True, of=("self",)).order_by("expires_at")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    Message.objects.filter(pk__in=keys).delete()
    return len(keys)
