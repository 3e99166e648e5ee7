"""Probes with which beat asks whether the sweeps of evidence, escalations and Slack have anything to do."""

from common.db import SweepProbe
from incidents.models import Evidence, Incident, SlackPost
from incidents.queries.blame import incidents_held_upstream
from incidents.queries.drills import overlong_drills
from incidents.queries.evidence import approved_evidence, incidents_without_evidence
from notifications.models import SlackAnswer
from notifications.queries.slack import expired_answers, has_slack_app

slack_sweep_is_due = SweepProbe(
    "slack",
    lambda at: [SlackAnswer.objects.claimable(), expired_answers(), SlackPost.objects.claimable().stale()],
    needs=has_slack_app,
)
evidence_sweep_is_due = SweepProbe(
    "evidence", lambda at: [approved_evidence(), incidents_without_evidence(), Evidence.objects.due(at=at)]
)
# It takes more than one statement to tell if an incident is still held upstream, so any held incident starts the sweep.
escalation_sweep_is_due = SweepProbe(
    "escalation",
    lambda at: [Incident.objects.due(at=at), incidents_held_upstream(at=at), overlong_drills(at=at)],
)
