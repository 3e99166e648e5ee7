"""Who may call what (docs/rules.md, Roles and permissions): one line per method and route. A route without a line fails.

A line is `"METHOD /path/": Rule(WHO, {body})`. Words in braces, in the path and in the body, are rows of `tests/security/fixtures.py`,
where everything belongs to the owner, engineer A. The body must succeed for everyone who is allowed. Lines for the same method and
route have a word after `#`.
"""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from tests.notifications.channels.push.service import Browser

# Roles whose requests succeed. A token has its holder's role in the API, and a read-only token may only read.
OPEN = {"anonymous", "owner", "stranger", "admin"}
SIGNED_IN = {"owner", "stranger", "admin"}
OWNER = {"owner", "admin"}
OWNER_ALONE = {"owner"}
ADMIN = {"admin"}


@dataclass(frozen=True)
class Rule:
    """Allowed roles and a valid body. `hidden`: others get a 404. `private`: text that only OWNER can read.

    `key_in_body`: the body has a secret of its own, so that it does not matter who is signed in.
    """

    who: frozenset | set
    body: dict | None = None
    hidden: bool = False
    private: str = ""
    gives: int = 0
    key_in_body: bool = False


HOLIDAY = {"starts_on": "2027-03-01", "ends_on": "2027-03-02", "kind": "holiday"}
ROTATION_FORM = {"name": "Renamed", "time_zone": "UTC", "handoff_weekday": "0", "handoff_time": "10:00"}
NEW_ROTATION_FORM = {**ROTATION_FORM, "name": "Second", "engineers": "engineer-a"}
# A new e-mail address asks for the password again (tests/people/test_identity.py); everything else is saved at once.
PROFILE = {"display_name": "Engineer X", "email": "{own_email}", "time_zone": "UTC", "colour": 1}
TOMORROW = f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=1):%Y-%m-%dT%H:%M}"
INCIDENT = {"kind": "delay", "title": "It is late"}
EVENT = {"starts_on": "2026-11-27", "ends_on": "2026-11-27", "name": "Black Friday"}
CHECK = {
    "name": "Edited", "severity": "fail", "interval_minutes": "60", "settle_minutes": "0", "confirm": "1", "confirm_of": "1",
    "cooldown_minutes": "0", "holidays": "ordinary", "parameters.fail_below": "1",
}  # fmt: skip
CHANNEL = {"kind": "teams", "name": "#new", "address": "https://example.org/x", "events": ["incident.opened"]}
METRIC = {"name": "Visits", "kind": "count", "grain": "day", "time_zone": "UTC"}
ALERT = {
    "status": "firing", "labels": {"alertname": "Late", "pipeline": "unit-profit"}, "annotations": {}, "fingerprint": "c0ffee",
    "startsAt": "2026-11-25T09:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "",
}  # fmt: skip
ALERTS = {"version": "4", "status": "firing", "receiver": "oncall", "groupKey": "x", "alerts": [ALERT]}
EVENT_TRIGGER = {
    "routing_key": "{routing_key}",
    "event_action": "trigger",
    "payload": {"summary": "Late", "source": "db-2", "severity": "error"},
}
# After the window of the fixtures.
MAINTENANCE = {
    "starts_at": f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=9):%Y-%m-%dT%H:%M}",
    "ends_at": f"{dt.datetime.now(dt.UTC) + dt.timedelta(days=10):%Y-%m-%dT%H:%M}",
    "reason": "Migration",
}
SUBSCRIPTION = Browser("https://fcm.googleapis.com/fcm/send/new").subscription
NOTE = "a private note"
HANDBOOK = (
    (Path(__file__).parents[2] / "examples" / "handbook.md")
    .read_text(encoding="utf-8")
    .replace("{", "")
    .replace("}", "")
)
AIRFLOW = {
    "version": 1,
    "dag_id": "orders",
    "task_id": "load",
    "run_id": "one",
    "state": "success",
    "date": "2026-11-25T10:00:00Z",
}

RULES = {
    # Sign-in and the site's health.
    "GET /sign-in/": Rule(OPEN),
    "POST /sign-in/": Rule(OPEN, {"username": "nobody", "password": "nothing"}),
    "POST /sign-out/": Rule(SIGNED_IN),
    "GET /password/forgotten/": Rule(OPEN),
    "POST /password/forgotten/": Rule(OPEN, {"email": "nobody@example.org"}),
    "GET /password/{secret}/": Rule(OPEN),
    "POST /password/": Rule(OPEN, {"secret": "{secret}", "new_password1": "{new_password}", "new_password2": "{new_password}"}),
    "GET /sign-in/not-active/": Rule(OPEN, gives=403),
    "GET /sign-in/failed/": Rule(OPEN, gives=401),
    "GET /sign-in/cancelled/": Rule(OPEN),
    "POST /sign-in/with/provider/": Rule(OPEN, gives=404),
    "GET /sign-in/with/provider/back/": Rule(OPEN, gives=404),
    # Who is signed in already is sent on; who gave no password yet, back.
    "GET /sign-in/code/": Rule(SIGNED_IN),
    "POST /sign-in/code/": Rule(SIGNED_IN),
    "GET /sign-in/again/": Rule(SIGNED_IN),
    "POST /sign-in/again/": Rule(SIGNED_IN, {"password": "{password}"}),
    "GET /sign-in/again/code/": Rule(SIGNED_IN),
    "POST /sign-in/again/code/": Rule(SIGNED_IN),
    "GET /healthz": Rule(OPEN),
    "GET /readyz": Rule(OPEN, gives=503),
    "GET /metrics": Rule(ADMIN),
    "GET /favicon.ico": Rule(OPEN),
    "GET /manifest.webmanifest": Rule(OPEN),
    "GET /service-worker.js": Rule(OPEN),
    # Now, pipelines, search.
    "GET /": Rule(SIGNED_IN),
    "GET /now/": Rule(SIGNED_IN),
    "POST /theme/": Rule(SIGNED_IN, {"theme": "dark"}),
    "GET /pipelines/": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/readiness.svg": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/restatements/": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/restatements.csv": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/readers-note/": Rule(SIGNED_IN),
    "POST /pipelines/{pipeline}/readers-note/": Rule(SIGNED_IN, {"text": "Late today."}),
    "GET /readers/": Rule(SIGNED_IN),
    "POST /readers/": Rule(SIGNED_IN, {"name": "Investors", "pipelines": "{pipeline}"}),
    "POST /readers/{readers_link_pk}/revoke/": Rule(SIGNED_IN),
    "GET /readers/{readers_link}/": Rule(OPEN),
    "GET /readers/{readers_link}/{pipeline}.svg": Rule(OPEN),
    "GET /readers/{readers_link}/subscribe/": Rule(OPEN),
    "POST /readers/{readers_link}/subscribe/": Rule(OPEN, {"email": "reader@example.org", "pipelines": "{pipeline}"}),
    "GET /readers/confirm/{confirm_secret}/": Rule(OPEN),
    "POST /readers/confirm/{confirm_secret}/": Rule(OPEN),
    "GET /readers/leave/{leave_secret}/": Rule(OPEN),
    "POST /readers/leave/{leave_secret}/": Rule(OPEN),
    "GET /restatements/{restatement}/comment/": Rule(SIGNED_IN),
    "POST /restatements/{restatement}/comment/": Rule(SIGNED_IN, {"comment": "A late invoice."}),
    "GET /fairness/": Rule(SIGNED_IN),
    "GET /fairness/csv/": Rule(SIGNED_IN),
    "GET /schedule/csv/": Rule(SIGNED_IN),
    "GET /checks/csv/": Rule(SIGNED_IN),
    "GET /search/": Rule(SIGNED_IN),
    "GET /people/": Rule(ADMIN),
    "POST /people/": Rule(ADMIN, {"people": "Ada Lovelace <ada@example.org>"}),
    "GET /people/engineer-a/": Rule(SIGNED_IN),
    "GET /confirm/": Rule(SIGNED_IN, gives=404),
    "POST /undo/": Rule(SIGNED_IN, gives=404),
    # Mine: what is not mine is not there.
    "GET /me/": Rule(SIGNED_IN),
    "GET /me/profile/": Rule(SIGNED_IN),
    "POST /me/profile/": Rule(SIGNED_IN, PROFILE),
    "GET /me/security/": Rule(SIGNED_IN),
    "POST /me/password/": Rule(
        SIGNED_IN, {"old_password": "{password}", "new_password1": "{new_password}", "new_password2": "{new_password}"}
    ),
    "POST /me/unsent-form/discard/": Rule(SIGNED_IN),
    "GET /me/tokens/": Rule(SIGNED_IN),
    "POST /me/tokens/": Rule(SIGNED_IN, {"name": "mine", "scope": "read", "expires_on": "2099-12-31"}),
    "POST /me/tokens/{token}/revoke/": Rule(OWNER_ALONE, hidden=True),
    "GET /me/offline/": Rule(SIGNED_IN),
    "GET /me/notifications/": Rule(SIGNED_IN),
    "POST /me/notifications/": Rule(SIGNED_IN, {"quiet_from": "22:00", "quiet_until": "07:00"}),
    "POST /me/notifications/rules/": Rule(SIGNED_IN, {"high-channel_0": "email"}),
    "POST /me/notifications/contact-methods/": Rule(SIGNED_IN, {"channel": "ntfy", "typed": "https://ntfy.sh/topic"}),
    "POST /me/notifications/contact-methods/{contact_method}/verify/": Rule(
        OWNER_ALONE, {"code": "123456"}, hidden=True
    ),
    "POST /me/notifications/contact-methods/{contact_method}/code/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/notifications/contact-methods/{contact_method}/test/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/notifications/contact-methods/{contact_method}/remove/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/notifications/email/test/": Rule(SIGNED_IN),
    # Signed by the provider, with or without a session (tests/incidents/test_phone.py).
    "POST /hooks/phone/sms/": Rule(OPEN, gives=403),
    "POST /hooks/phone/call/": Rule(OPEN, gives=403),
    "POST /hooks/phone/status/": Rule(OPEN, gives=403),
    # Signed by Slack (tests/incidents/test_slack.py, tests/scheduling/test_slack_answers.py).
    "POST /hooks/slack/interactivity/": Rule(OPEN, gives=403),
    "POST /hooks/slack/commands/": Rule(OPEN, gives=403),
    "GET /me/notifications/push/{push_device}/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/notifications/push/{push_device}/rename/": Rule(OWNER_ALONE, {"name": "Phone"}, hidden=True),
    "POST /me/notifications/push/{push_device}/test/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/notifications/push/{push_device}/confirm/": Rule(OWNER_ALONE, {"code": "{push_code}"}, hidden=True),
    "POST /me/notifications/push/{push_device}/remove/": Rule(OWNER_ALONE, hidden=True),
    "GET /me/second-factor/": Rule(SIGNED_IN),
    "GET /me/second-factor/enrol/": Rule(SIGNED_IN),
    "POST /me/second-factor/enrol/": Rule(SIGNED_IN),
    "GET /me/second-factor/remove/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/second-factor/remove/": Rule(OWNER_ALONE, hidden=True),
    # Asks for the password again, so nobody sees whether there are codes.
    "GET /me/second-factor/codes/": Rule(SIGNED_IN),
    "GET /me/second-factor/codes/download/": Rule(SIGNED_IN),
    "GET /me/second-factor/codes/new/": Rule(SIGNED_IN),
    "POST /me/second-factor/codes/new/": Rule(SIGNED_IN),
    "GET /me/calendar-link/": Rule(SIGNED_IN),
    "POST /me/calendar-link/": Rule(SIGNED_IN, {"address": "https://127.0.0.1/mine.ics"}),
    "POST /me/calendar-link/sync/": Rule(OWNER_ALONE, hidden=True),
    "POST /me/calendar-link/unlink/": Rule(OWNER_ALONE, hidden=True),
    # The schedule.
    "GET /schedule/": Rule(SIGNED_IN),
    "GET /schedule/{week}/": Rule(SIGNED_IN, private=NOTE),
    "GET /schedule/{rotation}/details/": Rule(SIGNED_IN),
    "GET /schedule/new/": Rule(ADMIN),
    "POST /schedule/new/": Rule(ADMIN, NEW_ROTATION_FORM),
    "GET /schedule/{rotation}/edit/": Rule(ADMIN),
    "POST /schedule/{rotation}/edit/": Rule(ADMIN, ROTATION_FORM),
    "POST /schedule/{rotation}/archive/": Rule(ADMIN),
    "GET /schedule/{rotation}/roster/": Rule(ADMIN),
    "POST /schedule/{rotation}/roster/": Rule(
        ADMIN, {"starts_on": "{later_week}", "engineers": "engineer-b\nengineer-a", "save": "1"}
    ),
    "GET /schedule/{rotation}/plan/": Rule(ADMIN),
    "POST /schedule/{rotation}/plan/": Rule(ADMIN, {"move": "{later_week}:engineer-a:engineer-b"}),
    "GET /schedule/{rotation}/cover/": Rule(SIGNED_IN),
    "POST /schedule/{rotation}/cover/": Rule(
        OWNER, {"engineer": "engineer-b", "starts_at": "{week}T12:00", "ends_at": "{week}T14:00"}
    ),
    "POST /covers/{cover}/end/": Rule(OWNER),
    # Swaps.
    "GET /swaps/": Rule(SIGNED_IN),
    "GET /swaps/request/": Rule(SIGNED_IN),
    "POST /swaps/request/": Rule(SIGNED_IN),
    "GET /swaps/request/?rotation={rotation}&week={week} #mine": Rule(OWNER),
    "POST /swaps/request/?rotation={rotation}&week={week} #mine": Rule(OWNER, {"message": "please"}),
    "GET /swaps/{asked}/": Rule(SIGNED_IN),
    "POST /swaps/{asked}/accept/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /swaps/{asked}/decline/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /swaps/{asking}/cancel/": Rule(OWNER),
    "POST /swaps/{asking}/remind/": Rule(OWNER),
    # Cover requests.
    "GET /covers/request/": Rule(SIGNED_IN),
    "GET /covers/request/?rotation={rotation} #of a rotation": Rule(SIGNED_IN),
    "POST /covers/request/": Rule(SIGNED_IN),
    "POST /covers/request/?rotation={rotation} #mine": Rule(
        OWNER, {"starts_at": "{week}T15:00", "ends_at": "{week}T16:00", "counterpart": "engineer-b"}
    ),
    "GET /covers/requests/{cover_asked}/": Rule(SIGNED_IN),
    "POST /covers/requests/{cover_asked}/accept/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /covers/requests/{cover_asked}/decline/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /covers/requests/{cover_asking}/cancel/": Rule(OWNER),
    "POST /covers/requests/{cover_asking}/remind/": Rule(OWNER),
    # The shared calendar.
    "GET /calendar/": Rule(SIGNED_IN),
    "GET /calendar/{year}/{month}/": Rule(SIGNED_IN, private=NOTE),
    "GET /calendar/add/": Rule(SIGNED_IN),
    "POST /calendar/add/": Rule(SIGNED_IN, {**HOLIDAY, "engineer": "{owner_pk}", "save": "1"}),
    "GET /calendar/holidays/{holiday}/": Rule(OWNER, hidden=True),
    "POST /calendar/holidays/{holiday}/": Rule(OWNER, {**HOLIDAY, "save": "1"}, hidden=True),
    "POST /calendar/holidays/{holiday}/delete/": Rule(OWNER, hidden=True),
    # Hand-offs: everybody writes notes and items, the two sign, an admin does not.
    "GET /handoffs/": Rule(SIGNED_IN),
    "GET /handoffs/{handoff}/": Rule(SIGNED_IN),
    "POST /handoffs/{handoff}/": Rule(SIGNED_IN, {"notes_0": "A note."}),
    "POST /handoffs/{handoff}/meeting/": Rule(
        OWNER, {"meeting_starts_at": "{meeting_day}T08:00", "meeting_ends_at": "{meeting_day}T08:30"}
    ),
    "POST /handoffs/{to_sign}/sign/": Rule(OWNER_ALONE),
    "POST /handoffs/{signed}/unsign/": Rule(OWNER_ALONE),
    "POST /handoffs/{to_close}/close/": Rule(OWNER),
    "POST /action-items/add/": Rule(SIGNED_IN, {"text": "To do", "rotation": "{rotation}"}),
    "POST /action-items/{item}/done/": Rule(SIGNED_IN),
    "POST /action-items/{item}/open/": Rule(SIGNED_IN),
    "GET /me/feeds/": Rule(SIGNED_IN),
    "POST /me/feeds/": Rule(SIGNED_IN),
    "POST /me/feeds/{feed_pk}/revoke/": Rule(OWNER_ALONE, hidden=True),
    "GET /feeds/{feed}.ics": Rule(OPEN),
    # Incidents: everybody acts on them.
    "GET /incidents/": Rule(SIGNED_IN),
    "GET /incidents/open/": Rule(SIGNED_IN),
    "POST /incidents/open/": Rule(SIGNED_IN, {**INCIDENT, "pipeline": "{pipeline}"}),
    "GET /incidents/reports/": Rule(SIGNED_IN),
    "GET /incidents/reports/csv/": Rule(SIGNED_IN),
    "GET /incidents/alerts/": Rule(SIGNED_IN),
    "GET /incidents/drills/": Rule(SIGNED_IN),
    "GET /incidents/{incident}/": Rule(SIGNED_IN),
    "GET /incidents/{incident}/edit/": Rule(SIGNED_IN),
    "POST /incidents/{incident}/edit/": Rule(SIGNED_IN, INCIDENT),
    "POST /incidents/{incident}/acknowledge/": Rule(SIGNED_IN),
    "POST /incidents/{incident}/resolve/": Rule(SIGNED_IN),
    "POST /incidents/{resolved}/reopen/": Rule(SIGNED_IN),
    "POST /incidents/{incident}/snooze/": Rule(SIGNED_IN, {"until": TOMORROW}),
    "POST /incidents/{incident}/reassign/": Rule(SIGNED_IN, {"engineer": "engineer-b"}),
    "POST /incidents/{incident}/note/": Rule(SIGNED_IN, {"text": "A note."}),
    "POST /incidents/{not_run}/run/": Rule(SIGNED_IN),
    "POST /incidents/{incident}/steps/1/": Rule(SIGNED_IN, {"done": "1"}),
    # Messages, the handbook, other tools' checks.
    "GET /handbook/": Rule(ADMIN),
    "POST /handbook/": Rule(ADMIN, {"text": HANDBOOK, "rotation:weekly rotation": "new"}),
    "GET /handbook/handbook.md": Rule(SIGNED_IN),
    # Checks: everybody's, but for those with SQL.
    "GET /checks/": Rule(SIGNED_IN),
    "GET /checks/new/": Rule(SIGNED_IN),
    "POST /checks/new/": Rule(SIGNED_IN),
    "POST /checks/new/?pipeline={pipeline}&check_type=range #made": Rule(SIGNED_IN, {**CHECK, "metric": "{metric_pk}"}),
    "GET /checks/metrics/new/": Rule(SIGNED_IN),
    "POST /checks/metrics/new/": Rule(SIGNED_IN, {**METRIC, "pipeline": "{pipeline}"}),
    "GET /checks/metrics/{metric_pk}/": Rule(SIGNED_IN),
    "POST /checks/metrics/{metric_pk}/": Rule(SIGNED_IN, METRIC),
    "GET /checks/metrics/{pulled_pk}/ #SQL": Rule(ADMIN),
    "POST /checks/metrics/{pulled_pk}/ #SQL": Rule(ADMIN, {**METRIC, "source": "{source_pk}", "query": "SELECT 1, 2"}),
    "GET /checks/{check}/": Rule(SIGNED_IN),
    "GET /checks/{check}/edit/": Rule(SIGNED_IN),
    "POST /checks/{check}/edit/": Rule(SIGNED_IN, {**CHECK, "metric": "{metric_pk}"}),
    "POST /checks/{check}/remove/": Rule(SIGNED_IN),
    "GET /checks/deleted/": Rule(SIGNED_IN),
    "POST /checks/{check}/restore/": Rule(SIGNED_IN),
    "POST /checks/{with_sql}/restore/ #SQL": Rule(ADMIN),
    "POST /checks/{with_sql}/remove/ #SQL": Rule(ADMIN),
    "GET /checks/{check}/progress/": Rule(SIGNED_IN),
    "POST /checks/{check}/run/": Rule(SIGNED_IN),
    "POST /checks/{check}/mute/": Rule(SIGNED_IN, {"hours": "24"}),
    "GET /checks/{check}/backtest/": Rule(SIGNED_IN),
    "POST /checks/{check}/events/": Rule(SIGNED_IN, EVENT),
    "POST /checks/{check}/events/{event}/remove/": Rule(SIGNED_IN),
    "POST /checks/{check}/results/{result}/acknowledge/": Rule(SIGNED_IN),
    "GET /lineage/": Rule(SIGNED_IN),
    "GET /lineage/drift/": Rule(SIGNED_IN),
    "POST /lineage/drift/{pipeline}/": Rule(ADMIN, {"side": "site"}),
    "GET /lineage/unmapped/": Rule(SIGNED_IN),
    "GET /checks/external/": Rule(SIGNED_IN),
    "GET /checks/external/{external}/": Rule(SIGNED_IN),
    # Runbooks: everybody writes them.
    "GET /runbooks/": Rule(SIGNED_IN),
    "GET /runbooks/{pipeline}/": Rule(SIGNED_IN),
    "GET /runbooks/{other_pipeline}/begin/": Rule(SIGNED_IN),
    "POST /runbooks/{other_pipeline}/begin/": Rule(SIGNED_IN, {"markdown": "### Purpose\n\nNew."}),
    "GET /runbooks/{pipeline}/edit/": Rule(SIGNED_IN),
    "POST /runbooks/{pipeline}/edit/": Rule(SIGNED_IN, {"markdown": "### Purpose\n\nNew.", "based_on": "2"}),
    "POST /runbooks/{pipeline}/delete/": Rule(SIGNED_IN),
    "POST /runbooks/{pipeline}/restore/": Rule(SIGNED_IN),
    "POST /runbooks/{pipeline}/read/": Rule(SIGNED_IN),
    "POST /api/v1/runbooks/{pipeline}/read/": Rule(SIGNED_IN, {}),
    "POST /runbooks/{pipeline}/preview/": Rule(SIGNED_IN, {"markdown": "text"}),
    "GET /runbooks/{pipeline}/revisions/": Rule(SIGNED_IN),
    "GET /runbooks/{pipeline}/revisions/1/": Rule(SIGNED_IN),
    "POST /runbooks/{pipeline}/revisions/1/restore/": Rule(SIGNED_IN),
    "GET /runbooks/{pipeline}/compare/": Rule(SIGNED_IN),
    # The API's frame.
    "GET /api/v1/schema/": Rule(SIGNED_IN),
    "GET /api/v1/docs/": Rule(SIGNED_IN),
    **{f"{method} /api/v1/no-such-call/": Rule(SIGNED_IN, {}, gives=404) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")},
    # The API of people and pipelines.
    "GET /api/v1/people/": Rule(SIGNED_IN),
    "GET /api/v1/people/engineer-a/": Rule(SIGNED_IN),
    "POST /api/v1/people/engineer-a/invite/": Rule(ADMIN, {"reset": True}),
    "POST /api/v1/people/engineer-a/deactivate/": Rule(ADMIN, {}),
    "POST /api/v1/people/engineer-a/reactivate/": Rule(ADMIN, {}),
    "GET /api/v1/pipelines/": Rule(SIGNED_IN),
    "GET /api/v1/pipelines/{pipeline}/": Rule(SIGNED_IN),
    "PATCH /api/v1/pipelines/{pipeline}/": Rule(ADMIN, {"primary_owner": "engineer-b"}),
    "GET /api/v1/pipelines/{pipeline}/readiness/": Rule(SIGNED_IN, gives=409),
    "GET /api/v1/pipelines/{pipeline}/responder/": Rule(SIGNED_IN),
    "GET /api/v1/pipelines/{pipeline}/lineage/": Rule(SIGNED_IN),
    "GET /api/v1/responders/": Rule(SIGNED_IN),
    # The API of the schedule.
    "GET /api/v1/oncall/": Rule(SIGNED_IN),
    "GET /api/v1/rotations/": Rule(SIGNED_IN),
    "GET /api/v1/rotations/{rotation}/": Rule(SIGNED_IN),
    "GET /api/v1/rotations/{rotation}/weeks/": Rule(SIGNED_IN),
    "GET /api/v1/rotations/{rotation}/timeline/": Rule(SIGNED_IN),
    "POST /api/v1/rotations/": Rule(ADMIN, {"name": "Second", "roster": ["engineer-a"]}),
    "PATCH /api/v1/rotations/{rotation}/": Rule(ADMIN, {"description": "Changed."}),
    "DELETE /api/v1/rotations/{rotation}/": Rule(ADMIN),
    "POST /api/v1/rotations/{rotation}/archive/": Rule(ADMIN),
    "GET /api/v1/rotations/{rotation}/plan/": Rule(ADMIN),
    "POST /api/v1/rotations/{rotation}/plan/apply/": Rule(
        ADMIN, {"moves": [{"week": "{later_week}", "from": "{later_engineer}", "to": "{free_engineer}"}]}
    ),
    "POST /api/v1/rotations/{rotation}/roster/": Rule(
        ADMIN, {"starts_on": "{later_week}", "engineers": ["engineer-b", "engineer-a"]}
    ),
    "POST /api/v1/rotations/{rotation}/roster/preview/": Rule(
        SIGNED_IN, {"starts_on": "{later_week}", "engineers": ["engineer-b", "engineer-a"]}
    ),
    "GET /api/v1/holidays/": Rule(SIGNED_IN, private=NOTE),
    "POST /api/v1/holidays/": Rule(SIGNED_IN, HOLIDAY),
    "POST /api/v1/holidays/ #another's": Rule(OWNER, {**HOLIDAY, "engineer": "engineer-a"}),
    "POST /api/v1/holidays/preview/": Rule(SIGNED_IN, HOLIDAY),
    "GET /api/v1/holidays/{holiday}/": Rule(SIGNED_IN, private=NOTE),
    "PATCH /api/v1/holidays/{holiday}/": Rule(OWNER, {"note": "changed"}),
    "DELETE /api/v1/holidays/{holiday}/": Rule(OWNER),
    "GET /api/v1/swaps/": Rule(SIGNED_IN),
    "POST /api/v1/swaps/": Rule(OWNER, {"rotation": "{rotation}", "offered_week": "{week}"}),
    "GET /api/v1/swaps/suggestions/?rotation={rotation}&week={week}": Rule(SIGNED_IN),
    "GET /api/v1/swaps/{asked}/": Rule(SIGNED_IN),
    "POST /api/v1/swaps/{asked}/accept/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /api/v1/swaps/{asked}/decline/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /api/v1/swaps/{asking}/cancel/": Rule(OWNER, {}),
    "POST /api/v1/swaps/{asking}/remind/": Rule(OWNER, {}),
    "GET /api/v1/covers/": Rule(SIGNED_IN),
    "POST /api/v1/covers/": Rule(
        OWNER,
        {"rotation": "{rotation}", "engineer": "engineer-b", "starts_at": "{week}T12:00:00Z", "ends_at": "{week}T14:00:00Z"},
    ),
    "GET /api/v1/covers/{cover}/": Rule(SIGNED_IN),
    "DELETE /api/v1/covers/{cover}/": Rule(OWNER),
    "GET /api/v1/cover-requests/": Rule(SIGNED_IN),
    "POST /api/v1/cover-requests/": Rule(
        OWNER, {"rotation": "{rotation}", "starts_at": "{week}T15:00:00Z", "ends_at": "{week}T16:00:00Z"}
    ),
    "GET /api/v1/cover-requests/{cover_asked}/": Rule(SIGNED_IN),
    "POST /api/v1/cover-requests/{cover_asked}/accept/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /api/v1/cover-requests/{cover_asked}/decline/": Rule(OWNER, {"engineer": "engineer-a"}),
    "POST /api/v1/cover-requests/{cover_asking}/cancel/": Rule(OWNER, {}),
    "POST /api/v1/cover-requests/{cover_asking}/remind/": Rule(OWNER, {}),
    "GET /api/v1/calendar-link/": Rule(OWNER_ALONE, hidden=True),
    "PUT /api/v1/calendar-link/": Rule(SIGNED_IN, {"address": "https://127.0.0.1/mine.ics"}),
    "DELETE /api/v1/calendar-link/": Rule(OWNER_ALONE, hidden=True),
    # The API of hand-offs.
    "GET /api/v1/handoffs/": Rule(SIGNED_IN),
    "GET /api/v1/handoffs/{handoff}/": Rule(SIGNED_IN),
    "PATCH /api/v1/handoffs/{handoff}/": Rule(SIGNED_IN, {}),
    "PATCH /api/v1/handoffs/{handoff}/ #meeting": Rule(
        OWNER, {"meeting_starts_at": "{meeting_day}T08:00:00Z", "meeting_ends_at": "{meeting_day}T08:30:00Z"}
    ),
    "POST /api/v1/handoffs/{to_sign}/sign/": Rule(OWNER_ALONE, {}),
    "POST /api/v1/handoffs/{signed}/unsign/": Rule(OWNER_ALONE),
    "POST /api/v1/handoffs/{to_close}/close/": Rule(OWNER),
    "GET /api/v1/action-items/": Rule(SIGNED_IN),
    "POST /api/v1/action-items/": Rule(SIGNED_IN, {"text": "To do"}),
    "GET /api/v1/action-items/{item}/": Rule(SIGNED_IN),
    "PATCH /api/v1/action-items/{item}/": Rule(SIGNED_IN, {"done": True}),
    "GET /api/v1/feeds/": Rule(SIGNED_IN),
    "POST /api/v1/feeds/": Rule(SIGNED_IN, {"rotation": "{rotation}"}),
    "GET /api/v1/feeds/{feed_pk}/": Rule(OWNER_ALONE, hidden=True),
    "DELETE /api/v1/feeds/{feed_pk}/": Rule(OWNER_ALONE, hidden=True),
    # Channels. The owner here is not the owner of the pipeline, who may change them too (tests/team_channels/test_pages.py).
    "GET /pipelines/{pipeline}/channels/": Rule(SIGNED_IN),
    "POST /pipelines/{pipeline}/channels/": Rule(ADMIN, CHANNEL),
    "GET /rotations/{rotation}/channels/": Rule(SIGNED_IN),
    "POST /rotations/{rotation}/channels/": Rule(ADMIN, CHANNEL),
    "GET /channels/{channel}/": Rule(SIGNED_IN),
    "POST /channels/{channel}/": Rule(ADMIN, {"name": "#other", "events": ["incident.opened"]}),
    "POST /channels/{channel}/test/": Rule(ADMIN),
    "POST /channels/{channel}/turn-off/": Rule(ADMIN),
    "POST /channels/{channel}/turn-on/": Rule(ADMIN),
    "POST /channels/{channel}/new-secret/": Rule(ADMIN),
    "POST /channels/{channel}/delete/": Rule(ADMIN),
    "POST /channels/{channel}/deliveries/{delivery}/redeliver/": Rule(ADMIN),
    "GET /api/v1/pipelines/{pipeline}/channels/": Rule(SIGNED_IN),
    "POST /api/v1/pipelines/{pipeline}/channels/": Rule(ADMIN, CHANNEL),
    "GET /api/v1/pipelines/{pipeline}/channels/{channel}/": Rule(SIGNED_IN),
    "PATCH /api/v1/pipelines/{pipeline}/channels/{channel}/": Rule(ADMIN, {"name": "#other"}),
    "DELETE /api/v1/pipelines/{pipeline}/channels/{channel}/": Rule(ADMIN),
    "POST /api/v1/pipelines/{pipeline}/channels/{channel}/test/": Rule(ADMIN),
    "POST /api/v1/pipelines/{pipeline}/channels/{channel}/rotate-secret/": Rule(ADMIN),
    "GET /api/v1/pipelines/{pipeline}/channels/{channel}/deliveries/": Rule(SIGNED_IN),
    "POST /api/v1/pipelines/{pipeline}/channels/{channel}/deliveries/{delivery}/redeliver/": Rule(ADMIN),
    "GET /api/v1/rotations/{rotation}/channels/": Rule(SIGNED_IN),
    "POST /api/v1/rotations/{rotation}/channels/": Rule(ADMIN, CHANNEL),
    "GET /api/v1/rotations/{rotation}/channels/{rotation_channel}/": Rule(SIGNED_IN),
    "PATCH /api/v1/rotations/{rotation}/channels/{rotation_channel}/": Rule(ADMIN, {"events": ["shift.started"]}),
    "DELETE /api/v1/rotations/{rotation}/channels/{rotation_channel}/": Rule(ADMIN),
    "POST /api/v1/rotations/{rotation}/channels/{rotation_channel}/test/": Rule(ADMIN),
    "POST /api/v1/rotations/{rotation}/channels/{rotation_channel}/rotate-secret/": Rule(ADMIN),
    "GET /api/v1/rotations/{rotation}/channels/{rotation_channel}/deliveries/": Rule(SIGNED_IN),
    "POST /api/v1/rotations/{rotation}/channels/{rotation_channel}/deliveries/{rotation_delivery}/redeliver/": Rule(ADMIN),
    # Maintenance and integration keys.
    "POST /pipelines/{pipeline}/drill/": Rule(SIGNED_IN),
    "GET /api/v1/incidents/drills/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/drills/": Rule(SIGNED_IN, {"pipeline": "{pipeline}"}),
    "GET /api/v1/incidents/{incident}/stopwatch/": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/maintenance/": Rule(SIGNED_IN),
    "POST /pipelines/{pipeline}/maintenance/": Rule(SIGNED_IN, MAINTENANCE),
    "POST /pipelines/{pipeline}/maintenance/{maintenance}/end/": Rule(SIGNED_IN),
    "GET /pipelines/{pipeline}/integration-keys/": Rule(ADMIN),
    "POST /pipelines/{pipeline}/integration-keys/": Rule(ADMIN, {"name": "Monitor"}),
    "POST /pipelines/{pipeline}/integration-keys/{integration_key}/revoke/": Rule(ADMIN),
    "GET /api/v1/maintenance-windows/": Rule(SIGNED_IN),
    "POST /api/v1/maintenance-windows/": Rule(
        SIGNED_IN,
        {
            "pipeline": "{pipeline}",
            **{name: f"{MAINTENANCE[name]}:00Z" for name in ("starts_at", "ends_at")},
            "reason": "Migration",
        },
    ),
    "GET /api/v1/maintenance-windows/{maintenance}/": Rule(SIGNED_IN),
    "PATCH /api/v1/maintenance-windows/{maintenance}/": Rule(SIGNED_IN, {"reason": "Longer"}),
    "DELETE /api/v1/maintenance-windows/{maintenance}/": Rule(SIGNED_IN),
    "GET /api/v1/integration-keys/": Rule(ADMIN),
    "POST /api/v1/integration-keys/": Rule(ADMIN, {"pipeline": "{pipeline}", "name": "Monitor"}),
    "GET /api/v1/integration-keys/{integration_key}/": Rule(ADMIN),
    "DELETE /api/v1/integration-keys/{integration_key}/": Rule(ADMIN),
    # An event has the integration key in its body instead of a sign-in.
    "POST /api/v1/integrations/events/": Rule(OPEN, EVENT_TRIGGER, key_in_body=True),
    "POST /api/v1/integrations/events/v2/enqueue": Rule(OPEN, EVENT_TRIGGER, key_in_body=True),
    "POST /api/v1/integrations/events/v2/change/enqueue": Rule(OPEN, EVENT_TRIGGER, key_in_body=True),
    # The API of incidents.
    "GET /api/v1/incidents/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/": Rule(SIGNED_IN, {**INCIDENT, "pipeline": "{pipeline}"}),
    "GET /api/v1/reports/incidents/": Rule(SIGNED_IN),
    "GET /api/v1/incidents/{incident}/": Rule(SIGNED_IN),
    "PATCH /api/v1/incidents/{incident}/": Rule(SIGNED_IN, INCIDENT),
    "POST /api/v1/incidents/{incident}/acknowledge/": Rule(SIGNED_IN, {}),
    "POST /api/v1/incidents/{incident}/resolve/": Rule(SIGNED_IN, {}),
    "POST /api/v1/incidents/{resolved}/reopen/": Rule(SIGNED_IN, {}),
    "GET /api/v1/incidents/{incident}/timeline/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/{incident}/snooze/": Rule(SIGNED_IN, {"until": f"{TOMORROW}:00Z"}),
    "POST /api/v1/incidents/{incident}/reassign/": Rule(SIGNED_IN, {"engineer": "engineer-b"}),
    "GET /api/v1/incidents/{incident}/notes/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/{incident}/notes/": Rule(SIGNED_IN, {"text": "A note."}),
    "POST /api/v1/incidents/{not_run}/run/": Rule(SIGNED_IN, {}),
    "GET /api/v1/incidents/{incident}/steps/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/{incident}/steps/": Rule(SIGNED_IN, {"position": 1}),
    # Evidence.
    "POST /incidents/{incident}/evidence/": Rule(SIGNED_IN, {"key": "{block}"}),
    "GET /incidents/{incident}/evidence/{block}/": Rule(SIGNED_IN),
    "POST /runbooks/{pipeline}/evidence/{block}/approve/": Rule(ADMIN),
    "POST /runbooks/{pipeline}/evidence/{block}/revoke/": Rule(ADMIN),
    "GET /api/v1/incidents/{incident}/evidence/": Rule(SIGNED_IN),
    "POST /api/v1/incidents/{incident}/evidence/": Rule(SIGNED_IN, {"key": "{block}"}),
    "GET /api/v1/runbooks/{pipeline}/evidence/": Rule(SIGNED_IN),
    "GET /api/v1/runbooks/{pipeline}/steps/": Rule(SIGNED_IN),
    "POST /api/v1/runbooks/{pipeline}/evidence/{block}/approve/": Rule(ADMIN, {}),
    "POST /api/v1/runbooks/{pipeline}/evidence/{block}/revoke/": Rule(ADMIN, {}),
    # The API of messages and of other tools' checks.
    "GET /api/v1/me/": Rule(SIGNED_IN),
    "PATCH /api/v1/me/": Rule(SIGNED_IN, {"name": "Engineer X", "shortcuts": False}),
    "GET /api/v1/me/notifications/": Rule(SIGNED_IN),
    "PUT /api/v1/me/notifications/": Rule(SIGNED_IN, {}),
    "GET /api/v1/me/notification-rules/": Rule(SIGNED_IN),
    "PUT /api/v1/me/notification-rules/": Rule(SIGNED_IN, {}),
    "GET /api/v1/me/contact-methods/": Rule(SIGNED_IN),
    "POST /api/v1/me/contact-methods/": Rule(SIGNED_IN, {"channel": "ntfy", "address": "https://ntfy.sh/topic"}),
    "DELETE /api/v1/me/contact-methods/{contact_method}/": Rule(OWNER_ALONE, hidden=True),
    "GET /api/v1/me/contact-methods/{contact_method}/": Rule(OWNER_ALONE, hidden=True),
    "POST /api/v1/me/contact-methods/{contact_method}/verify/": Rule(
        OWNER_ALONE, {"code": "wrong"}, hidden=True, gives=400
    ),
    "POST /api/v1/me/contact-methods/{contact_method}/send-code/": Rule(OWNER_ALONE, {}, hidden=True),
    "POST /api/v1/me/contact-methods/{contact_method}/test/": Rule(OWNER_ALONE, {}, hidden=True),
    "POST /api/v1/me/push-key/": Rule(SIGNED_IN, {}),
    "GET /api/v1/me/push-devices/": Rule(SIGNED_IN),
    "POST /api/v1/me/push-devices/": Rule(SIGNED_IN, SUBSCRIPTION),
    "GET /api/v1/me/push-devices/{push_device}/": Rule(OWNER_ALONE, hidden=True),
    "PATCH /api/v1/me/push-devices/{push_device}/": Rule(OWNER_ALONE, {"name": "Phone"}, hidden=True),
    "POST /api/v1/me/push-devices/{push_device}/test/": Rule(OWNER_ALONE, {}, hidden=True),
    "POST /api/v1/me/push-devices/{push_device}/confirm/": Rule(OWNER_ALONE, {"code": "{push_code}"}, hidden=True),
    "DELETE /api/v1/me/push-devices/{push_device}/": Rule(OWNER_ALONE, hidden=True),
    "POST /api/v1/me/test-message/": Rule(SIGNED_IN, {"channel": "email"}),
    "GET /api/v1/messages/": Rule(SIGNED_IN),
    "GET /api/v1/messages/{message}/": Rule(OWNER, hidden=True),
    "POST /api/v1/messages/{message}/retry/": Rule(ADMIN, {}, hidden=True),
    "GET /api/v1/dbt-nodes/": Rule(SIGNED_IN),
    "GET /api/v1/owner-drift/": Rule(SIGNED_IN),
    "POST /api/v1/owner-drift/{pipeline}/decide/": Rule(ADMIN, {"side": "site"}),
    "GET /api/v1/external-checks/": Rule(SIGNED_IN),
    "GET /api/v1/external-checks/{external}/": Rule(SIGNED_IN),
    "POST /api/v1/integrations/airflow/": Rule(SIGNED_IN, AIRFLOW),
    "POST /api/v1/integrations/alertmanager/": Rule(SIGNED_IN, ALERTS),
    "GET /api/v1/alerts/": Rule(SIGNED_IN),
    "GET /api/v1/alerts/{alert}/": Rule(SIGNED_IN),
    # The API of metrics and checks.
    "GET /api/v1/metrics/": Rule(SIGNED_IN),
    "POST /api/v1/metrics/": Rule(SIGNED_IN, {"pipeline": "{pipeline}", "slug": "visits", "name": "Visits"}),
    "GET /api/v1/metrics/{pipeline}/{metric}/": Rule(SIGNED_IN),
    "PATCH /api/v1/metrics/{pipeline}/{metric}/": Rule(SIGNED_IN, {"name": "Other"}),
    "GET /api/v1/metrics/{pipeline}/{metric}/points/": Rule(SIGNED_IN),
    "POST /api/v1/metrics/{pipeline}/{metric}/points/": Rule(SIGNED_IN, [{"at": "{day}", "value": 4}]),
    "GET /api/v1/checks/": Rule(SIGNED_IN),
    "POST /api/v1/checks/": Rule(
        SIGNED_IN,
        {"pipeline": "{pipeline}", "type": "range", "name": "New", "metric": "{pipeline}/{metric}", "parameters": {"fail_below": 0}},
    ),
    "POST /api/v1/checks/ #SQL": Rule(
        ADMIN,
        {"pipeline": "{pipeline}", "type": "custom_sql", "name": "N", "source": "warehouse", "query": "SELECT 1", "parameters": {"expect": "no_rows"}},
    ),
    "GET /api/v1/checks/{check}/": Rule(SIGNED_IN),
    "PATCH /api/v1/checks/{check}/": Rule(SIGNED_IN, {"name": "Renamed"}),
    "DELETE /api/v1/checks/{check}/": Rule(SIGNED_IN),
    "PATCH /api/v1/checks/{with_sql}/ #SQL": Rule(ADMIN, {"name": "Renamed"}),
    "DELETE /api/v1/checks/{with_sql}/ #SQL": Rule(ADMIN),
    "POST /api/v1/checks/{check}/restore/": Rule(SIGNED_IN),
    "POST /api/v1/checks/{with_sql}/restore/ #SQL": Rule(ADMIN),
    "GET /api/v1/incidents/{incident}/failures/": Rule(SIGNED_IN),
    "GET /api/v1/incidents/{incident}/similar/": Rule(SIGNED_IN),
    "POST /api/v1/checks/{check}/mute/": Rule(SIGNED_IN, {"until": "{soon}"}),
    "DELETE /api/v1/checks/{check}/mute/": Rule(SIGNED_IN),
    "GET /api/v1/checks/{check}/results/": Rule(SIGNED_IN),
    "POST /api/v1/checks/{check}/run/": Rule(SIGNED_IN, {}),
    "GET /api/v1/results/{result}/": Rule(SIGNED_IN),
    "POST /api/v1/results/{result}/acknowledge/": Rule(SIGNED_IN, {}),
    "GET /api/v1/runs/": Rule(SIGNED_IN),
    "POST /api/v1/runs/": Rule(
        SIGNED_IN, {"pipeline": "{pipeline}", "key": "one", "state": "running", "started_at": "{day}T10:00:00Z"}
    ),
    "GET /api/v1/known-events/": Rule(SIGNED_IN),
    "POST /api/v1/known-events/": Rule(SIGNED_IN, {**EVENT, "pipeline": "{pipeline}"}),
    "GET /api/v1/known-events/{event}/": Rule(SIGNED_IN),
    "DELETE /api/v1/known-events/{event}/": Rule(SIGNED_IN),
    # The API of messages.
    "GET /api/v1/messages/?everyone=true": Rule(SIGNED_IN, private="a message to oneself"),
    # The API of runbooks.
    "GET /api/v1/pipelines/{pipeline}/readers-note/": Rule(SIGNED_IN),
    "PUT /api/v1/pipelines/{pipeline}/readers-note/": Rule(SIGNED_IN, {"text": "Late today."}),
    "GET /api/v1/readers-links/": Rule(SIGNED_IN),
    "POST /api/v1/readers-links/": Rule(SIGNED_IN, {"name": "Investors", "pipelines": ["{pipeline}"]}),
    "GET /api/v1/readers-links/{readers_link_pk}/": Rule(SIGNED_IN),
    "DELETE /api/v1/readers-links/{readers_link_pk}/": Rule(SIGNED_IN),
    "GET /api/v1/restatements/": Rule(SIGNED_IN),
    "GET /api/v1/restatements/{restatement}/": Rule(SIGNED_IN),
    "PATCH /api/v1/restatements/{restatement}/": Rule(SIGNED_IN, {"comment": "A late invoice."}),
    "GET /api/v1/runbooks/": Rule(SIGNED_IN),
    "GET /api/v1/runbooks/{pipeline}/": Rule(SIGNED_IN),
    "PUT /api/v1/runbooks/{pipeline}/": Rule(SIGNED_IN, {"markdown": "### Purpose\n\nNew.", "revision": 2}),
    "DELETE /api/v1/runbooks/{pipeline}/": Rule(SIGNED_IN),
    "POST /api/v1/runbooks/{pipeline}/restore/": Rule(SIGNED_IN),
    "GET /api/v1/runbooks/{pipeline}/revisions/": Rule(SIGNED_IN),
    "GET /api/v1/runbooks/{pipeline}/revisions/1/": Rule(SIGNED_IN),
}  # fmt: skip
