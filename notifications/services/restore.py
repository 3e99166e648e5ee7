"""What becomes of the outbox when the site was restored from a backup."""

from django.db.models.functions import Now

from notifications.models import Message

RESTORED = "The site was restored from a backup: this may have been sent since the backup was made."


def drop_what_may_be_sent() -> int:
    """Drop every waiting message that is due by the database's clock, so that nothing is sent again; return how many.

    After the backup was made the site went on for a while, and sent what was due: the backup cannot know. What becomes due later
    stays. Run before the first worker starts on the restored database.
    """
    due = Message.objects.waiting().filter(due_at__lte=Now())
    return due.update(state=Message.State.DROPPED, problem=RESTORED, token=None, lease_until=None)
