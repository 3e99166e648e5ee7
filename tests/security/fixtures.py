"""The rows that the rules refer to. Everything that has an owner belongs to engineer A."""

import copy
import datetime as dt
from http.cookies import SimpleCookie

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core import signing
from django.db import connection, reset_queries, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendar_feeds.services import create_feed
from handoffs.models import Handoff
from handoffs.services.action_items import add_item
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import sign_handoff
from incidents.models import Alert
from incidents.services.alerts import ingest_alerts
from incidents.services.evidence import request_evidence
from incidents.services.integration_keys import create_integration_key
from incidents.services.maintenance import schedule_maintenance
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import NewIncident, open_incident, resolve
from lineage.models import DbtNode, DbtProject
from notifications.models import Message
from notifications.notifications import TEST_CODE_SALT
from notifications.services.push_devices import add_device
from people.models import ApiToken, User
from people.queries import link_secret
from people.services.accounts import create_token
from people.services.password_links import invite
from readiness.models import Publication, Restatement, Subscription
from readiness.services.readers import create_link
from readiness.services.subscriptions import confirm_secret, leave_secret
from runbooks.services import save_revision
from scheduling.services.calendar_links import link_calendar
from scheduling.services.cover_requests import CoverProposal, request_cover
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, request_swap
from team_channels.services.channels import add_channel, send_test
from tests.factories import PASSWORD, add_contact_method, current_monday, make_engineer, make_pipeline, make_runbook
from tests.notifications.channels.push.service import Browser
from tests.security.permission_matrix import ALERTS
from tests.snapshots import build_once
from tests.statements import writing
from tests.validation.fixtures import bucket, make_check, make_metric, push
from validation.importers.alertmanager import read_alerts
from validation.models import CheckResult, ExternalCheck
from validation.services.data_sources import create_data_source
from validation.services.known_events import Event, add_known_event

NEW_PASSWORD = "another long passphrase"
HOLDERS = {
    "token": ("owner", ApiToken.Scope.WRITE),
    "stranger's token": ("stranger", ApiToken.Scope.WRITE),
    "admin's token": ("admin", ApiToken.Scope.ADMIN),
    "read-only token": ("owner", ApiToken.Scope.READ),
    "admin's read-only token": ("admin", ApiToken.Scope.READ),
}
BLOCK = "   ```sql source=warehouse\n   SELECT 1\n   ```"
# Rows that a rejected call may write: when a token was last used, and the saved form of an expired session with its limit.
BESIDE = ("people_apitoken", "django_session", "people_loginattempts")
# What `make_world` returned, by hour.
_made = {}


def make_world():
    """Create the rows; return the values of the rules' placeholders, and the owner, stranger and admin."""
    at = timezone.now()
    admin = make_engineer("Admin", is_staff=True)
    a, b, c, d = (make_engineer(f"Engineer {letter}", email=f"{letter}@example.org") for letter in "ABCD")
    for user in (admin, a, d):
        user.password = MD5PasswordHasher().encode(PASSWORD, "a salt of tests")
        user.save(update_fields=["password"])
    pipeline = make_pipeline("Unit profit", primary=b, secondary=c)
    other = make_pipeline("Daily growth", primary=c, secondary=b, position=1)
    runbook = make_runbook(pipeline, author=b)
    save_revision(
        runbook,
        markdown="### Purpose\n\nTo be more useful.\n\n### Troubleshooting Steps\n\n1. Look.\n2. Act.\n\n" + BLOCK,
        based_on=1,
        author=b,
    )
    rotation, weeks = _rotation((a, b, c, d), at=at)
    join_rotation(rotation, pipelines=[pipeline, other])
    # The owner's second upcoming week has no swaps or covers; the first two weeks of A and B are requested.
    [a1, a2], [b1, b2], [d1, *_] = (
        [week for week in weeks if week.engineer == who][:2] if who != d else [w for w in weeks if w.engineer == d]
        for who in (a, b, d)
    )
    asked = request_swap(rotation, proposal=SwapProposal(b1.starts_on, a1.starts_on), by=b, at=at)
    asking = request_swap(rotation, proposal=SwapProposal(a1.starts_on, counterpart=b), by=a, at=at)
    span = CoverData(a, b2.starts_at, b2.starts_at + dt.timedelta(hours=5))
    cover = create_cover(rotation, data=span, by=a, at=at)
    cover_asked = _request_cover(rotation, d1, counterpart=a, at=at)
    cover_asking = _request_cover(rotation, a1, counterpart=b, at=at)
    holiday = create_holiday(a, data=HolidayData(a2.starts_on, a2.starts_on, note="a private note"), by=a)
    sync_handoffs(at=at)
    # Not today's: its meeting could no longer be moved to any hour of its day.
    tomorrow = at + dt.timedelta(days=1)
    handoff = Handoff.objects.not_cancelled().filter(outgoing=a, at__gt=tomorrow).order_by("at").first()
    removed = make_engineer("Engineer E", is_active=False)
    to_sign, signed, to_close = (
        _past_handoff(rotation, a, incoming, days=days, at=at) for incoming, days in ((b, 7), (b, 14), (removed, 21))
    )
    sign_handoff(signed, by=a, at=at)
    item = add_item(rotation, text="Something left to do", by=a, at=at)
    feed = create_feed(a, rotation=None, at=at)
    message = Message.objects.filter(recipient=a).first()
    Message.objects.filter(pk=message.pk).update(state=Message.State.FAILED, subject="a message to oneself")
    method = add_contact_method(a, channel="ntfy", address="https://ntfy.sh/owned")
    for person in User.objects.filter(email=""):
        User.objects.filter(pk=person.pk).update(email=f"{person.username}@example.org")
    external = ExternalCheck.objects.create(
        tool="dbt", key="model.orders", name="orders", pipeline=pipeline, status="pass", at=at, created_at=at
    )
    project = DbtProject.objects.create(name="shop", schema=12, generated_at=at, imported_at=at)
    DbtNode.objects.create(
        project=project, key="model.shop.m", kind="model", name="m", pipeline=pipeline, owner_name=str(a)
    )
    what = NewIncident(kind="outage", title="Nothing arrives")
    incident, not_run, resolved = (open_incident(pipeline, what=what, by=a, at=at) for _ in range(3))
    start_run(incident, by=a, at=at)
    resolve(resolved, by=a, at=at)
    ingest_alerts(read_alerts(ALERTS), at=at)
    metric = make_metric(pipeline, "orders")
    push(metric, [1.0, 2.0, 3.0], at=at)
    check = make_check(pipeline, a, metric=metric, parameters={"fail_below": 10}, is_active=True, at=at)
    source = create_data_source(name="warehouse", address="sqlite:////nowhere.sqlite", by=admin)
    pulled = make_metric(pipeline, "pulled", source=source, query="SELECT 1, 2")
    with_sql = make_check(pipeline, admin, "custom_sql", source=source, query="SELECT 1", at=at)
    result = CheckResult.objects.create(
        parent_check=check, status="fail", bucket=bucket(1, at), value=3.0, started_at=at, finished_at=at
    )
    event = add_known_event(pipeline, metric=None, event=Event(at.date(), at.date(), "A fair"), by=a, at=at)
    soon = at + dt.timedelta(days=3)
    maintenance = schedule_maintenance(
        pipeline, starts_at=soon, ends_at=soon + dt.timedelta(hours=1), reason="Migration", by=a, at=at
    )
    key = create_integration_key(pipeline, name="Grafana", by=admin)
    channel = _channel(pipeline, by=admin)
    rotation_channel = _channel(rotation, by=admin)
    subscription = Browser("https://fcm.googleapis.com/fcm/send/owned").subscription
    device = add_device(a, name="Phone", endpoint=subscription["endpoint"], **subscription["keys"])
    readers_link = create_link(name="Investor numbers", pipelines=[pipeline], by=a)
    subscription = Subscription.objects.create(
        link=readers_link.link, pipeline=pipeline, email="reader@example.com", created_at=at
    )
    request_evidence(at=at)
    words = {
        "block": incident.evidence.get().key,
        "readers_link": readers_link.secret,
        "readers_link_pk": readers_link.link.pk,
        "confirm_secret": confirm_secret(subscription),
        "leave_secret": leave_secret(subscription),
        "maintenance": maintenance.pk,
        "integration_key": key.key.pk,
        "channel": channel.pk,
        "delivery": channel.deliveries.get().pk,
        "rotation_channel": rotation_channel.pk,
        "rotation_delivery": rotation_channel.deliveries.get().pk,
        "routing_key": key.secret,
        "restatement": _restatement(metric, at=at).pk,
        "metric": metric.slug,
        "metric_pk": metric.pk,
        "pulled_pk": pulled.pk,
        "source_pk": source.pk,
        "check": check.pk,
        "with_sql": with_sql.pk,
        "result": result.pk,
        "event": event.pk,
        "day": bucket(1, at).date(),
        "soon": (at + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "incident": incident.pk,
        "not_run": not_run.pk,
        "resolved": resolved.pk,
        "alert": Alert.objects.first().pk,
        "handoff": handoff.pk,
        "to_sign": to_sign.pk,
        "signed": signed.pk,
        "to_close": to_close.pk,
        "meeting_day": handoff.meeting_starts_at.date(),
        "item": item.pk,
        "feed": feed.secret,
        "feed_pk": feed.token.pk,
        "cover_asked": cover_asked.pk,
        "cover_asking": cover_asking.pk,
        "message": message.pk,
        "contact_method": method.pk,
        "push_device": device.pk,
        "push_code": signing.dumps(device.pk, salt=TEST_CODE_SALT),
        "external": external.pk,
        "pipeline": pipeline.slug,
        "other_pipeline": other.slug,
        "rotation": rotation.slug,
        "week": a2.starts_on,
        "year": a2.starts_on.year,
        "month": a2.starts_on.month,
        "later_week": d1.starts_on,
        "later_engineer": d.username,
        "free_engineer": c.username,
        "asked": asked.pk,
        "asking": asking.pk,
        "cover": cover.pk,
        "holiday": holiday.pk,
        "token": create_token(a, name="owned").token.pk,
        "secret": link_secret(invite(b, by=admin, at=at)),
        "owner_pk": a.pk,
        "own_email": "nobody@example.org",
        "password": PASSWORD,
        "new_password": NEW_PASSWORD,
    }
    TOTP.activate(a, generate_totp_secret())
    RecoveryCodes.activate(a)
    link_calendar(a, address="https://127.0.0.1/mine.ics", by=a)
    return words, {"owner": a, "stranger": d, "admin": admin}


def _rotation(engineers, *, at):
    rotation = import_rotation(RotationText("Weekly", "", "Policy", "", ()), time_zone="UTC")
    set_roster(rotation, engineers=engineers, starts_on=current_monday(at), at=at)
    rows = rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on")
    return rotation, list(rows)


def _request_cover(rotation, week, *, counterpart, at):
    proposal = CoverProposal(week.starts_at, week.starts_at + dt.timedelta(hours=5), counterpart=counterpart)
    return request_cover(rotation, proposal=proposal, by=week.engineer, at=at)


def _restatement(metric, *, at):
    """Create a restatement of yesterday's value."""
    publication = Publication.objects.create(pipeline=metric.pipeline, day=bucket(1, at).date(), published_at=at)
    return Restatement.objects.create(
        publication=publication,
        metric=metric,
        bucket=bucket(1, at),
        from_value=2.0,
        to_value=3.0,
        farthest_value=3.0,
        published_at=at,
        changed_at=at,
        restated_at=at,
    )


def _channel(owner, *, by):
    """Add a webhook with a delivery that failed an hour ago."""
    new = add_channel(
        owner, kind="webhook", name="#data", address="https://example.org/hook", events=["incident.opened"], by=by
    )
    send_test(new.channel, by=by)
    new.channel.deliveries.update(state="failed", created_at=timezone.now() - dt.timedelta(hours=1))
    return new.channel


def _past_handoff(rotation, outgoing, incoming, *, days, at):
    """Create a hand-off that is over: it can be signed at any hour, and no sweep changes it."""
    then = at - dt.timedelta(days=days)
    return Handoff.objects.create(
        rotation=rotation,
        week=then.date(),
        at=then,
        outgoing=outgoing,
        incoming=incoming,
        meeting_starts_at=then - dt.timedelta(minutes=30),
        meeting_ends_at=then,
        stamped_at=then,
    )


def shared_world():
    """Return what `make_world` returns. In an empty database, copy back the rows that it created earlier in the same hour.

    The hour matters because on-call shifts start on the hour.
    """
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    build_once(("security", hour), lambda: _made.update({hour: make_world()}))
    return copy.deepcopy(_made[hour])


class World:
    """The rows, and a client for each actor."""

    def __init__(self):
        self.words, self.people = shared_world()
        emails = dict(User.objects.values_list("pk", "email"))
        self.emails = {name: emails[user.pk] for name, user in self.people.items()}
        self.clients = {
            "anonymous": Client(),
            "feed address": Client(headers={"authorization": f"Bearer {self.words['feed']}"}),
        }
        for name, user in self.people.items():
            self.clients[name] = Client()
            self.clients[name].force_login(user)
        for name, (holder, scope) in HOLDERS.items():
            secret = create_token(self.people[holder], name=name, scope=scope).secret
            # Otherwise each call would store the time.
            ApiToken.objects.update(last_used_at=timezone.now())
            self.clients[name] = Client(headers={"authorization": f"Bearer {secret}"})

    def fill(self, value, **words):
        """Return a path or a body with its placeholders filled in; `words` replace those of all actors."""
        if isinstance(value, dict):
            return {key: self.fill(one, **words) for key, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one, **words) for one in value]
        return value.format(**(self.words | words)) if isinstance(value, str) else value

    def call(self, actor, method, path, body=None, *, raw=None):
        """Return the response and its writes, and roll them back."""
        own = {"own_email": self.emails[actor]} if actor in self.emails else {}
        given = {} if body is None else {"data": self.fill(body, **own)}
        if raw is not None:
            given["data"] = raw
            if method == "GET":
                given = {}
        if path.startswith("/api/"):
            given["content_type"] = "application/json"
        elif method != "GET":
            given.setdefault("data", {})
        if method in ("PUT", "PATCH", "DELETE") and not path.startswith("/api/"):
            given = {}
        client = self.clients[actor]
        cookies = {name: morsel.value for name, morsel in client.cookies.items()}
        reset_queries()
        with transaction.atomic(), CaptureQueriesContext(connection) as captured:
            try:
                answer = getattr(client, method.lower())(path, **given)
            except Exception as error:
                error.add_note(f"{actor}: {method} {path}")
                raise
            transaction.set_rollback(True)
        client.cookies = SimpleCookie(cookies)
        return answer, [sql for sql in writing(captured) if not any(f'"{table}"' in sql for table in BESIDE)]
