"""Changes of state that belong to the site itself."""

from django.db.models.functions import Now

from oncall_site.models import Heartbeat
from oncall_site.queries import WORKER


def beat_heart() -> None:
    """Record that beat kicked and a worker answered, by the database's clock."""
    Heartbeat.objects.update_or_create(part=WORKER, defaults={"beaten_at": Now()})
