"""Worker tasks of incidents."""

import uuid

from celery import shared_task
from django.utils import timezone

from common.loops import PURGE_SECONDS, IsolatedSteps, repeat
from incidents.models import SlackPost
from incidents.services.alerts import purge_alerts as delete_old_alerts
from incidents.services.alerts import sync_with_alerts
from incidents.services.drills import end_old_drills, start_weekly_drills
from incidents.services.escalation import escalate_due
from incidents.services.evidence import ClaimedEvidence, claim_evidence, request_evidence
from incidents.services.evidence import run_evidence as run_claimed_evidence
from incidents.services.slack import update_next_post
from incidents.services.triggers import sync_with_all_checks
from notifications.queries.slack import has_slack_app, slack_app
from notifications.services.leases import DELIVERY_SECONDS
from notifications.tasks import answer_slack

# A server that hangs occupies at most this many tasks, each for at most the time limit of a send.
MAX_SLACK_UPDATES = 2


@shared_task
def escalate() -> None:
    """Escalate the incidents that are due, and end old drills."""
    at = timezone.now()
    with IsolatedSteps() as attempt:
        attempt(escalate_due, at=at)
        attempt(end_old_drills, at=at)


@shared_task
def start_drills() -> None:
    """Start or skip the weekly drills that are due."""
    start_weekly_drills(at=timezone.now())


@shared_task
def purge_alerts() -> None:
    """Delete old alerts without a pipeline in batches until none are left or the time is up."""
    repeat(lambda: delete_old_alerts(at=timezone.now()), seconds=PURGE_SECONDS)


@shared_task
def sync_incidents() -> None:
    """Open and resolve incidents to match checks and alerts."""
    at = timezone.now()
    with IsolatedSteps() as attempt:
        attempt(sync_with_all_checks, at=at)
        attempt(sync_with_alerts, at=at)


@shared_task
def sweep_slack() -> None:
    """Start the tasks that answer and update messages in Slack, if the site has a Slack app."""
    if has_slack_app():
        answer_slack.delay()
        update_slack.delay()


@shared_task
def update_slack() -> None:
    """Update the messages in Slack that do not show the newest state of their incident."""
    app = slack_app()
    if app is not None and SlackPost.objects.held().count() < MAX_SLACK_UPDATES:
        repeat(lambda: update_next_post(app), seconds=DELIVERY_SECONDS)


@shared_task
def sweep_evidence() -> None:
    """Request the evidence of new incidents, claim what is due, and start a task for each. A lost task is claimed again."""
    at = timezone.now()
    request_evidence(at=at)
    for claimed in claim_evidence(at=at):
        run_evidence.delay(claimed.evidence, str(claimed.claim))


@shared_task
def run_evidence(evidence: int, claim: str) -> None:
    """Run claimed evidence."""
    run_claimed_evidence(ClaimedEvidence(evidence, uuid.UUID(claim)), at=timezone.now())
