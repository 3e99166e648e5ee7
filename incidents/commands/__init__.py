"""Every change of state about incidents, a file for each noun."""

from incidents.commands.alerts import Taken, follow_alerts, take_alerts
from incidents.commands.deciding import acknowledge, change_incident, hand_over, note, reopen, resolve
from incidents.commands.following import follow_checks, follow_external_checks
from incidents.commands.opening import Opening, open_incident
from incidents.commands.runs import mark_step, start_run
from incidents.commands.telling import escalate, escalate_due

__all__ = [
    "Opening",
    "Taken",
    "acknowledge",
    "change_incident",
    "escalate",
    "escalate_due",
    "follow_alerts",
    "follow_checks",
    "follow_external_checks",
    "hand_over",
    "mark_step",
    "note",
    "open_incident",
    "reopen",
    "resolve",
    "start_run",
    "take_alerts",
]
