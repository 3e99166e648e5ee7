"""URLs of the incident pages."""

from django.urls import path

from incidents.views import actions, drills, evidence, incidents, integration_keys, maintenance, phone, reports, slack

urlpatterns = [
    path("incidents/", incidents.incidents, name="incidents"),
    path("incidents/open/", incidents.open_incident, name="open_incident"),
    path("incidents/alerts/", incidents.alerts, name="alerts"),
    path("incidents/drills/", drills.drills, name="drills"),
    path("incidents/reports/", reports.reports, name="incident_reports"),
    path("incidents/reports/csv/", reports.reports_csv, name="incident_reports_csv"),
    path("incidents/<int:pk>/", incidents.incident, name="incident"),
    path("incidents/<int:pk>/edit/", incidents.edit, name="edit_incident"),
    path("incidents/<int:pk>/acknowledge/", actions.acknowledge, name="acknowledge_incident"),
    path("incidents/<int:pk>/resolve/", actions.resolve, name="resolve_incident"),
    path("incidents/<int:pk>/reopen/", actions.reopen, name="reopen_incident"),
    path("incidents/<int:pk>/reassign/", actions.reassign, name="reassign_incident"),
    path("incidents/<int:pk>/snooze/", actions.snooze, name="snooze_incident"),
    path("incidents/<int:pk>/note/", actions.note, name="note_incident"),
    path("incidents/<int:pk>/run/", actions.run, name="run_runbook"),
    path("incidents/<int:pk>/steps/<int:number>/", actions.step, name="mark_step"),
    path("incidents/<int:pk>/evidence/", evidence.rerun, name="rerun_evidence"),
    path("incidents/<int:pk>/evidence/<slug:key>/", evidence.evidence, name="evidence"),
    path("runbooks/<slug:slug>/evidence/<slug:key>/approve/", evidence.approve, name="approve_query"),
    path("runbooks/<slug:slug>/evidence/<slug:key>/revoke/", evidence.revoke, name="revoke_query"),
    path("hooks/slack/interactivity/", slack.interactivity, name="slack_interactivity"),
    path("hooks/phone/sms/", phone.sms, name="phone_sms"),
    path("hooks/phone/call/", phone.call, name="phone_call"),
    path("hooks/phone/status/", phone.status, name="phone_status"),
    path("pipelines/<slug:slug>/drill/", drills.start, name="start_drill"),
    path("pipelines/<slug:slug>/maintenance/", maintenance.maintenance, name="maintenance"),
    path("pipelines/<slug:slug>/maintenance/<int:pk>/end/", maintenance.end, name="end_maintenance"),
    path("pipelines/<slug:slug>/integration-keys/", integration_keys.integration_keys, name="integration_keys"),
    path(
        "pipelines/<slug:slug>/integration-keys/<int:pk>/revoke/",
        integration_keys.revoke,
        name="revoke_integration_key",
    ),
]
