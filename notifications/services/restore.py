"""Prepare the outboxes of a database restored from a backup."""

from django.apps import apps
from django.db.models.functions import Now

from notifications.outbox_row import OutboxRow

RESTORE_TEXT = "The site was restored from a backup. This may have been sent after the backup was made."


def drop_possibly_sent() -> int:
    """Drop waiting rows of every outbox that are due by the database's clock, so that nothing is sent twice; return their number.

    The site went on sending after the backup, and the backup does not contain that. Rows due later stay. Run it before
    the first worker starts on the restored database.
    """
    outboxes = [model for model in apps.get_models() if issubclass(model, OutboxRow)]
    return sum(model.objects.waiting().filter(due_at__lte=Now()).drop(RESTORE_TEXT) for model in outboxes)
