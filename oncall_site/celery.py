"""The Celery application and the timetable of its beat: it only kicks sweeps, the rows say what is due."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")

HARD_LIMIT_SECONDS = 120

app = Celery("oncall_site", task_cls="oncall_site.celery_hooks:RecordedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=HARD_LIMIT_SECONDS,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    timezone="UTC",
    beat_schedule={
        "keep weeks": {"task": "scheduling.tasks.ensure_weeks", "schedule": crontab(minute=17)},
        "keep gaps": {"task": "scheduling.tasks.sync_coverage_gaps", "schedule": 60.0},
        "expire swaps": {"task": "scheduling.tasks.expire_swaps", "schedule": 60.0},
        # Often: it is how a swap's new meeting reaches two calendars; where nothing changed it costs a few reads.
        "keep hand-offs": {"task": "handoffs.tasks.sync_handoffs", "schedule": 15.0},
        "keep feeds": {"task": "calendar_feeds.tasks.sync_feeds", "schedule": 30.0},
        "read linked calendars": {"task": "scheduling.tasks.sync_calendar_links", "schedule": 60.0},
        "tell of the schedule": {"task": "scheduling.tasks.notify_schedule_changes", "schedule": 60.0},
        "release inactive people": {"task": "scheduling.tasks.reassign_inactive", "schedule": 60.0},
        "follow checks and alerts": {"task": "incidents.tasks.sync_incidents", "schedule": 15.0},
        "escalate incidents": {"task": "incidents.tasks.escalate", "schedule": 15.0},
        "forget attempts at sign-in": {"task": "people.tasks.purge_attempts", "schedule": crontab(minute=29)},
        "sweep messages": {"task": "notifications.tasks.sweep", "schedule": 2.0},
        "forget old messages": {"task": "notifications.tasks.purge_finished", "schedule": crontab(hour=3, minute=41)},
        "follow the demo": {"task": "oncall_site.tasks.grow_demo", "schedule": 600.0},
        # More often than any check may be due, so that somebody who asks for a run does not wait for a minute.
        "sweep checks": {"task": "validation.tasks.sweep_checks", "schedule": 10.0},
        "heartbeat": {"task": "oncall_site.tasks.record_heartbeat", "schedule": 10.0},
    },
)
app.autodiscover_tasks()
