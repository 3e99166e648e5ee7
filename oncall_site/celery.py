"""The Celery application and beat's schedule. Beat only starts sweeps; each sweep finds the rows that are due.

Beat starts a sweep of SWEEP_PROBES only if it has something to do, but at least once a minute (docs/adr/0048).
"""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
# Django's checks would load every page into every worker and beat. `manage.py migrate`, which runs first, makes them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

HARD_LIMIT_SECONDS = 120

# Intervals are multiples of three seconds, so beat wakes up 20 times a minute for all of them (docs/adr/0050).
SCHEDULE = {
    "ensure weeks": {"task": "scheduling.tasks.ensure_weeks", "schedule": crontab(minute=17)},
    "sync coverage gaps": {"task": "scheduling.tasks.sync_coverage_gaps", "schedule": 60.0},
    "expire swaps": {"task": "scheduling.tasks.expire_swaps", "schedule": 60.0},
    "expire cover requests": {"task": "scheduling.tasks.expire_cover_requests", "schedule": 60.0},
    # Often, because calendar invitations follow from it; without changes it costs a few queries.
    "sync hand-offs": {"task": "handoffs.tasks.sync_handoffs", "schedule": 15.0},
    "post shifts": {"task": "handoffs.tasks.post_shifts", "schedule": 30.0},
    "sync feeds": {"task": "calendar_feeds.tasks.sync_feeds", "schedule": 30.0},
    "sync linked calendars": {"task": "scheduling.tasks.sync_calendar_links", "schedule": 60.0},
    "notify schedule changes": {"task": "scheduling.tasks.notify_schedule_changes", "schedule": 60.0},
    "reassign inactive users": {"task": "scheduling.tasks.reassign_inactive", "schedule": 60.0},
    "sync incidents": {"task": "incidents.tasks.sync_incidents", "schedule": 15.0},
    "sweep evidence": {"task": "incidents.tasks.sweep_evidence", "schedule": 3.0},
    "sync publications": {"task": "readiness.tasks.sync_publications", "schedule": 60.0},
    "render reader pages": {"task": "readiness.tasks.render_readers_pages", "schedule": 60.0},
    "deliver reader messages": {"task": "readiness.tasks.deliver_reader_messages", "schedule": 6.0},
    "sweep channels": {"task": "team_channels.tasks.sweep", "schedule": 3.0},
    "post checks": {"task": "team_channels.tasks.post_checks", "schedule": 15.0},
    "purge channel deliveries": {
        "task": "team_channels.tasks.purge_deliveries",
        "schedule": crontab(hour=3, minute=53),
    },
    "purge readers": {"task": "readiness.tasks.purge_readers", "schedule": crontab(hour=3, minute=47)},
    "purge OpenLineage nodes": {"task": "lineage.tasks.purge_openlineage", "schedule": crontab(hour=3, minute=59)},
    "purge reports": {"task": "validation.tasks.purge_reports", "schedule": crontab(hour=4, minute=5)},
    "purge alerts": {"task": "incidents.tasks.purge_alerts", "schedule": crontab(hour=4, minute=11)},
    "purge sessions": {"task": "people.tasks.purge_sessions", "schedule": crontab(hour=3, minute=11)},
    "escalate incidents": {"task": "incidents.tasks.escalate", "schedule": 15.0},
    "start drills": {"task": "incidents.tasks.start_drills", "schedule": 60.0},
    "purge sign-in attempts": {"task": "people.tasks.purge_attempts", "schedule": crontab(minute=29)},
    "purge saved responses": {"task": "people.tasks.purge_responses", "schedule": crontab(hour=3, minute=5)},
    "purge deleted checks": {"task": "validation.tasks.purge_checks", "schedule": crontab(hour=3, minute=17)},
    "purge deleted runbooks": {"task": "runbooks.tasks.purge_runbooks", "schedule": crontab(hour=3, minute=23)},
    "sweep messages": {"task": "notifications.tasks.sweep", "schedule": 3.0},
    "sync Slack user groups": {"task": "team_channels.tasks.sync_user_groups", "schedule": 30.0},
    "look up Slack members": {"task": "notifications.tasks.look_up_slack_members", "schedule": 60.0},
    "sweep Slack": {"task": "incidents.tasks.sweep_slack", "schedule": 3.0},
    "purge finished messages": {
        "task": "notifications.tasks.purge_finished",
        "schedule": crontab(hour=3, minute=41),
    },
    "check shifts": {"task": "oncall_site.tasks.check_shifts", "schedule": crontab(minute=37)},
    "grow demo": {"task": "oncall_site.tasks.grow_demo", "schedule": 600.0},
    # More often than any check is due, so that “Run now” starts within seconds.
    "sweep checks": {"task": "validation.tasks.sweep_checks", "schedule": 6.0},
    "import dbt folders": {"task": "validation.tasks.import_dbt_folders", "schedule": 60.0},
    "heartbeat": {"task": "oncall_site.tasks.record_heartbeat", "schedule": 15.0},
}
# The functions that return True if a frequent sweep has anything to do at an instant. Beat asks before it starts the sweep.
SWEEP_PROBES = {
    "sweep evidence": "incidents.queries.sweeps.evidence_sweep_is_due",
    "deliver reader messages": "readiness.queries.sweeps.message_sweep_is_due",
    "sweep channels": "team_channels.queries.sweep_is_due",
    "post checks": "team_channels.queries.check_posts_are_due",
    "escalate incidents": "incidents.queries.sweeps.escalation_sweep_is_due",
    "sweep messages": "notifications.queries.sweep.sweep_is_due",
    "sweep Slack": "incidents.queries.sweeps.slack_sweep_is_due",
    "sweep checks": "validation.queries.checks.sweep_is_due",
}
# Several workers run these at the same time: people wait for them, or each run claims other rows. All other sweeps are exclusive
# (docs/adr/0049).
PARALLEL_SWEEPS = {
    "incidents.tasks.escalate",
    "incidents.tasks.start_drills",
    "incidents.tasks.sweep_evidence",
    "incidents.tasks.sweep_slack",
    "incidents.tasks.sync_incidents",
    "notifications.tasks.look_up_slack_members",
    "notifications.tasks.sweep",
    "oncall_site.tasks.record_heartbeat",
    "readiness.tasks.deliver_reader_messages",
    "scheduling.tasks.sync_calendar_links",
    "team_channels.tasks.sweep",
    "team_channels.tasks.sync_user_groups",
    "validation.tasks.sweep_checks",
}

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
    beat_schedule=SCHEDULE,
    sweep_probes=SWEEP_PROBES,
    exclusive_sweeps={entry["task"] for entry in SCHEDULE.values()} - PARALLEL_SWEEPS,
)
app.autodiscover_tasks()
