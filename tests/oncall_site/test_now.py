"""The Now page: what needs attention first, who really responds, and how the page updates itself."""

import contextlib
import datetime as dt
import random
import re
from dataclasses import replace

import pytest
from django.db import IntegrityError, OperationalError, connection, reset_queries, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape

from handoffs.models import Handoff
from handoffs.services.meetings import sync_rotation
from incidents.models import Incident, MaintenanceWindow
from incidents.services.transitions import NewIncident, acknowledge, open_incident
from notifications.models import Message
from oncall_site import services
from oncall_site.queries import SHOWN_MODELS, SHOWN_STATES, delivery_problem, outbox
from oncall_site.reader_tasks import ReaderTasks, reader_tasks
from oncall_site.views import now as now_view
from oncall_site.views import now_parts
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import OWN_FIRST_ABOVE, OwnershipOrder
from scheduling.models import Cover, HolidayBlock, Rotation
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, request_swap
from tests.each import each
from tests.factories import bearer, current_monday, make_pipeline
from tests.memory import clear_memory, empty_memory, restore_memory
from tests.statements import spelled_out
from tests.thorough import cases
from tests.validation.fixtures import make_check, make_metric
from validation.models import Check, ExternalCheck

DAY, MINUTE = dt.timedelta(days=1), dt.timedelta(minutes=1)


@pytest.fixture
def rotation(a, b, c, d):
    """A week of A, with two pipelines owned by C and D; everyone has a phone number."""
    for number, user in enumerate((a, b, c, d)):
        user.phone = f"+44 7700 90000{number}"
        user.save()
    at = timezone.now()
    rotation = import_rotation(RotationText("Rotation", "", "Policy", "", ()), time_zone="UTC")
    set_roster(rotation, engineers=[a, b], starts_on=current_monday(at), at=at - 8 * DAY)
    rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(engineer=a)
    pipelines = [make_pipeline(name, primary=c, secondary=d) for name in ("Healthy", "Broken")]
    join_rotation(rotation, pipelines=pipelines)
    return rotation


def away(user, *, at):
    return HolidayBlock.objects.create(
        engineer=user,
        kind="sick",
        starts_on=(at - DAY).date(),
        ends_on=(at + DAY).date(),
        time_zone="UTC",
        starts_at=at - DAY,
        ends_at=at + DAY,
    )


@pytest.fixture
def stopped_clock(monkeypatch):
    """Stop the clock, because the version of Now changes every minute."""
    at = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: at)


@pytest.fixture
def clock(monkeypatch):
    """Return a list with the current time: at first the start of a minute, shortly before a hand-off. A test sets it."""
    clock = [dt.datetime(2026, 11, 23, 9, 40, tzinfo=dt.UTC)]
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock[0])
    return clock


def page(client, user):
    client.force_login(user)
    return client.get("/").content.decode()


def listed(context):
    """Return the names of the pipelines that need no attention."""
    return [row.pipeline.name for group in context["groups"] for row in group.rows]


def test_an_absent_engineer_is_replaced_by_who_responds_without_their_number(client, rotation, a, b, c):
    away(a, at=timezone.now())
    text = page(client, b)
    assert c.phone in text
    assert a.phone not in text
    assert "Standing in for Engineer A, who is away" in " ".join(text.split())


def test_a_cover_names_who_is_covered_and_until_when(client, rotation, admin, a, b):
    at = timezone.now()
    create_cover(rotation, data=CoverData(b, at, at + dt.timedelta(hours=2), ""), by=admin, at=at)
    text = " ".join(page(client, a).split())
    assert "covering for Engineer A until" in text
    assert b.phone in text
    assert a.phone not in text


def test_an_incident_shows_its_assignee_and_the_next_escalation(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    what = NewIncident(kind="delay", title="Logs are late")
    open_incident(pipeline, what=what, by=None, at=timezone.now())
    text = " ".join(page(client, a).split())
    assert "Unassigned" in text
    assert "Escalates to Engineer C in 1" in text
    assert text.index("Logs are late") < text.index('id="my-weeks"')
    assert "<title>(1) Now · On call</title>" in text


def test_pipelines_with_a_problem_come_first(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    open_incident(pipeline, what=NewIncident(kind="outage", title="Down"), by=None, at=timezone.now())
    client.force_login(a)
    context = client.get("/").context
    assert [row.pipeline.name for row in context["attention"]] == ["Broken"]
    assert listed(context) == ["Healthy"]


@pytest.mark.usefixtures("stopped_clock")
def test_the_live_part_is_a_304_until_something_changes(client, rotation, a):
    client.force_login(a)
    etag = client.get("/").context["etag"]
    answer = client.get("/now/", headers={"if-none-match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == etag
    open_incident(
        rotation.pipelines.get(pipeline__name="Broken").pipeline,
        what=NewIncident(kind="outage", title="Down"),
        by=None,
        at=timezone.now(),
    )
    answer = client.get("/now/", headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert 'data-alerts="1"' in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.usefixtures("stopped_clock")
def test_an_unchanged_page_costs_a_few_statements(client, rotation, a):
    client.force_login(a)
    etag = client.get("/").context["etag"]
    with CaptureQueriesContext(connection) as cheap:
        assert client.get("/now/", headers={"if-none-match": etag}).status_code == 304
    # Session, user, the version of the facts, heartbeats and the oldest message.
    assert len(cheap) <= 6


@pytest.mark.usefixtures("stopped_clock")
def test_the_same_text_is_a_304_even_if_a_minute_has_passed(client, rotation, a):
    client.force_login(a)
    etag = client.get("/now/").headers["ETag"]
    older = f'"0123{etag.strip(chr(34))[4:]}"'
    answer = client.get("/now/", headers={"if-none-match": older})
    assert (answer.status_code, answer.headers["ETag"]) == (304, etag)


def change_check_status(rotation, a):
    Check.objects.update(last_status="fail")


def change_absence(rotation, a):
    away(a, at=timezone.now())


def change_phone(rotation, a):
    User.objects.filter(pk=a.pk).update(phone="+44 7700 900999")


def change_swap(rotation, a):
    week = rotation.weeks.filter(engineer=a, starts_at__gt=timezone.now()).earliest("starts_at")
    request_swap(rotation, proposal=SwapProposal(offered_week=week.starts_on), by=a, at=timezone.now())


def change_delivery(rotation, a):
    services.record_beat()


@pytest.mark.usefixtures("stopped_clock")
@pytest.mark.parametrize(
    "change",
    [change_check_status, change_absence, change_phone, change_swap, change_delivery],
    ids=lambda do: do.__name__,
)
def test_each_change_that_the_page_shows_changes_the_tag(client, rotation, a, b, change):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    make_check(pipeline, a, metric=make_metric(pipeline), parameters={"fail_below": 1}, is_active=True)
    client.force_login(b)
    etag = client.get("/now/").headers["ETag"]
    change(rotation, a)
    assert client.get("/now/", headers={"if-none-match": etag}).status_code == 200


# Tables that need no version here: sessions change nothing that Now shows; the delivery problem and the versions of what comes from
# memory are part of the version in another way.
UNVERSIONED_TABLES = {
    *("django_session", "django_content_type", "people_oncallversion", "people_pageversion"),
    *("oncall_site_heartbeat", "notifications_message"),
    # `EXTRACT(epoch FROM starts_at)`
    *("starts_at", "ends_at"),
}


def test_every_table_that_the_page_reads_is_part_of_its_version(rotation, a, b, admin):
    """A change to any other table would not show until the next minute."""
    read = set()
    for user in (a, admin):
        client = make_client(user)
        client.get("/now/")
        empty_memory()
        with CaptureQueriesContext(connection) as context:
            client.get("/now/?changed=1")
        statements = spelled_out(context, without=("find_now_version",))
        read |= {table for sql in statements for table in re.findall(r"(?:FROM|JOIN) \"?([a-z]+_[a-z]+)\b", sql)}
    assert {"validation_externalcheck", "scheduling_coverrequest"} <= read
    versioned = {model._meta.db_table for model in SHOWN_MODELS}
    versioned |= {table for state in SHOWN_STATES for table in re.findall(r"FROM (\w+)", state)}
    assert read - versioned - UNVERSIONED_TABLES == set()


def make_client(user):
    client = Client()
    client.force_login(user)
    return client


def random_change(draw, rotation, pipeline, *, at):
    """Change something that Now shows, through a service or directly."""
    people = list(User.objects.order_by("pk"))
    someone, number = User.objects.filter(pk=draw.choice(people).pk), draw.randint(0, 999)
    soon = at + dt.timedelta(seconds=draw.randint(1, 200))
    period = {"starts_at": soon, "ends_at": soon + dt.timedelta(seconds=draw.randint(1, 300))}
    draw.choice(
        [
            lambda: Check.objects.update(last_status=draw.choice(["pass", "warn", "fail"])),
            lambda: someone.update(phone=f"+44 7700 900{number:03}"),
            lambda: someone.update(display_name=f"Renamed {number}", display_key=f"renamed {number}"),
            lambda: someone.update(colour=1 + number % 12),
            lambda: HolidayBlock.objects.all().delete(),
            lambda: away(someone.get(), at=at) if HolidayBlock.objects.count() < 3 else None,
            lambda: HolidayBlock.objects.create(
                engineer=someone.get(), kind="sick", starts_on=at.date(), ends_on=at.date(), time_zone="UTC", **period
            ),
            lambda: open_incident(pipeline, what=NewIncident(kind="outage", title=f"No. {number}"), by=None, at=at),
            lambda: Incident.objects.exclude(state="resolved").update(next_escalation_at=soon),
            lambda: (
                acknowledge(Incident.objects.filter(state="open").first(), by=draw.choice(people[:3]), at=at)
                if Incident.objects.filter(state="open").exists()
                else None
            ),
            lambda: Pipeline.objects.filter(name="Healthy").update(primary_owner=draw.choice(people[:3])),
            lambda: Pipeline.objects.filter(pk=pipeline.pk).update(audience=f"Team {number}"),
            lambda: rotation.weeks.filter(starts_at__lte=at, ends_at__gt=at).update(engineer=draw.choice(people)),
            lambda: Cover.objects.create(
                rotation=rotation,
                engineer=people[0],
                covered_engineer=people[1],
                created_by=people[0],
                **period,
            ),
            lambda: Cover.objects.all().delete(),
            lambda: MaintenanceWindow.objects.create(
                pipeline=pipeline, reason="Migration", created_by=people[0], **period
            ),
            lambda: MaintenanceWindow.objects.all().delete(),
            lambda: Handoff.objects.filter(pk=draw.choice(Handoff.objects.order_by("pk")).pk).update(
                at=soon - dt.timedelta(hours=1), signed_outgoing_at=None, signed_incoming_at=None, frozen=None
            ),
            lambda: Handoff.objects.update(signed_outgoing_at=at, signed_incoming_at=at),
            lambda: Rotation.objects.update(name=f"Rotation {number}"),
        ]
    )()


def test_after_random_changes_a_page_from_memory_equals_a_new_one(clock, rotation, a, b, c, d, admin):
    empty_memory()
    draw = random.Random(22)
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    make_check(pipeline, a, metric=make_metric(pipeline), parameters={"fail_below": 1}, is_active=True)
    Pipeline.objects.filter(name="Healthy").update(primary_owner=a, secondary_owner=d)
    sync_rotation(rotation, at=clock[0])
    User.objects.filter(pk=b.pk).update(time_zone="Asia/Tokyo")
    readers = [make_client(user) for user in (a, b, admin)]
    paths, whole, parts = ("/now/", "/now/?owner=me", "/now/?q=Healthy&page=1"), 0, 0
    for _ in range(cases(400, part=16)):
        reset_queries()
        if draw.random() < 0.3:
            with contextlib.suppress(IntegrityError), transaction.atomic():
                random_change(draw, rotation, pipeline, at=clock[0])
        clock[0] += dt.timedelta(seconds=draw.choice([0, 0, 0, 0, 0, 0.5, 7, 61, 4000]))
        reader, path = draw.choice(readers), draw.choice(paths)
        if draw.random() < 0.4:
            empty_memory("FRAGMENTS")
        with CaptureQueriesContext(connection) as statements:
            known = reader.get(path).content.decode()
        previous = empty_memory()
        with CaptureQueriesContext(connection) as more:
            fresh = reader.get(path).content.decode()
        restore_memory(previous)
        assert known == fresh, path
        whole += len(statements) <= 6
        parts += 6 < len(statements) < len(more)
    assert whole > 3
    assert parts > 3


def test_shared_parts_contain_nothing_of_a_reader(rotation, a, b, admin):
    """They have no form, no form key, and no link for admins only."""
    empty_memory()
    away(a, at=timezone.now())
    open_incident(
        rotation.pipelines.get(pipeline__name="Broken").pipeline,
        what=NewIncident(kind="outage", title="Down"),
        by=None,
        at=timezone.now(),
    )
    shown = [make_client(user).get("/now/").context["alerts"] for user in (admin, b)]
    assert shown[0] == shown[1]
    assert "Down" in shown[0]
    for word in ("<form", "csrf", "form_key", "/admin/", "/system/"):
        assert word not in shown[0]
    # A fragment is cached for all sessions of a reader, and each session has its own CSRF token.
    fragment = make_client(a).get("/now/").content.decode()
    assert "csrf" not in fragment


def test_two_users_of_a_browser_have_different_tags(client, rotation, a, b):
    client.force_login(a)
    etag = client.get("/now/").headers["ETag"]
    client.force_login(b)
    assert client.get("/now/", headers={"if-none-match": etag}).status_code == 200


def test_incidents_are_listed_by_severity_then_age(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    at = timezone.now()
    for hours, severity in ((1, "low"), (2, "critical"), (3, "high"), (4, "critical"), (5, "low")):
        what = NewIncident(kind="issue", title=f"{severity} {hours} h", severity=severity)
        open_incident(pipeline, what=what, by=None, at=at - dt.timedelta(hours=hours))
    client.force_login(a)
    titles = re.findall(r'class="open-incident"[^>]*>([^<]*)<', client.get("/").content.decode())
    assert titles == ["critical 4 h", "critical 2 h", "high 3 h", "low 5 h", "low 1 h"]


def test_an_incident_that_nobody_acknowledged_says_so(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    open_incident(pipeline, what=NewIncident(kind="issue", title="Down"), by=None, at=timezone.now())
    assert "Escalation exhausted" not in page(client, a)
    Incident.objects.update(next_escalation_at=None)
    assert "Escalation exhausted" in page(client, a)


def test_a_request_to_anyone_is_shown_to_the_others_on_the_roster(client, rotation, a, b, outsider):
    change_swap(rotation, a)
    assert "1 request to answer" in page(client, b)
    assert "to anyone" in page(client, b)
    for user in (a, outsider):
        assert "to answer" not in page(client, user)


def test_a_stale_external_check_needs_attention(client, rotation, a):
    pipeline = rotation.pipelines.get(pipeline__name="Broken").pipeline
    ExternalCheck.objects.create(
        tool="dbt",
        key="k",
        name="n",
        pipeline=pipeline,
        status="pass",
        is_stale=True,
        at=timezone.now(),
        created_at=timezone.now(),
    )
    client.force_login(a)
    assert [row.pipeline.name for row in client.get("/").context["attention"]] == ["Broken"]


def test_pipelines_are_grouped_by_rotation_and_responder(client, rotation, a, b, c, d):
    make_pipeline("Alone", primary=b, secondary=c, position=9)
    client.force_login(a)
    groups = client.get("/").context["groups"]
    names = [
        (group.rotation, str(group.first.responder), [row.pipeline.name for row in group.rows]) for group in groups
    ]
    assert names == [(rotation.name, a.display_name, ["Healthy", "Broken"]), ("", b.display_name, ["Alone"])]


def test_groups_of_one_rotation_with_different_responders_have_different_names(client, rotation, a, b):
    """A screen reader lists them as landmarks."""
    away(a, at=timezone.now())
    join_rotation(rotation, pipelines=[make_pipeline("Alone", primary=b, secondary=a, position=9)])
    html = page(client, b)
    names = [
        [re.search(f'id="{part}"[^>]*>(.*?)</(?:h3|p)>', html, re.DOTALL)[1] for part in name.split()]
        for name in re.findall(r'class="card" aria-labelledby="(group-\d+ [^"]+)"', html)
    ]
    assert [heading for heading, _ in names] == [rotation.name] * 2
    assert len({responder for _, responder in names}) == 2


def test_in_a_long_table_the_pipelines_of_the_reader_come_first(client, rotation, a, b, c, d, monkeypatch):
    monkeypatch.setattr("pipelines.queries.OWN_FIRST_ABOVE", 2)
    empty_memory()
    Pipeline.objects.filter(name="Healthy").update(position=2)
    Pipeline.objects.filter(name="Broken").update(position=1)
    own = make_pipeline("Own", primary=c, secondary=b, position=3)
    other = make_pipeline("Other", primary=b, secondary=c, position=4)
    client.force_login(b)
    assert listed(client.get("/").context) == ["Own", "Other", "Broken", "Healthy"]
    Pipeline.objects.filter(pk=own.pk).update(secondary_owner=d)
    assert listed(client.get("/").context) == ["Other", "Broken", "Healthy", "Own"]
    Pipeline.objects.filter(pk=other.pk).update(position=0)
    client.force_login(a)
    assert listed(client.get("/").context) == ["Other", "Broken", "Healthy", "Own"]


def test_in_a_table_of_one_page_no_pipeline_comes_first(client, rotation, b, c):
    make_pipeline("Own", primary=b, secondary=c, position=9)
    client.force_login(b)
    assert listed(client.get("/").context) == ["Healthy", "Broken", "Own"]


def test_own_pipelines_come_first_only_in_a_table_longer_than_a_page(a):
    keys = tuple(range(1, OWN_FIRST_ABOVE + 2))
    own = {a.pk: (7, 9, 9)}
    assert OwnershipOrder(keys[:-1], own).own_first(a) == list(keys[:-1])
    assert OwnershipOrder(keys, own).own_first(a) == [7, 9, *(key for key in keys if key not in (7, 9))]


def test_the_order_is_in_memory_once_however_long_no_fact_changes(rotation, c, d):
    clear_memory()
    at = timezone.now()
    for instant in (at, at + DAY, at - DAY):
        order = now_parts.pipeline_order(version="1", at=instant)
    assert now_parts.ORDER.bytes == len(order.keys) * now_parts.ORDERED_BYTES == 2 * now_parts.ORDERED_BYTES
    make_pipeline("New", primary=c, secondary=d)
    assert len(now_parts.pipeline_order(version="2", at=at).keys) == 3
    assert now_parts.ORDER.bytes == 3 * now_parts.ORDERED_BYTES


def test_a_pipeline_without_anyone_available_says_so(client, rotation, a, b, c):
    make_pipeline("Alone", primary=b, secondary=c, position=9)
    away(c, at=timezone.now())
    User.objects.filter(pk=b.pk).update(is_active=False)
    client.force_login(a)
    html = client.get("/now/").content.decode()
    [alone] = [part for part in html.split('<section class="card" aria-labelledby="group-')[1:] if ">Alone<" in part]
    text = " ".join(re.sub("<[^>]+>", " ", alone).split())
    assert "No rotation Uncovered No one available; Engineer B is" in text
    assert "; Engineer C is away" in text


def test_a_shift_to_prepare_for_and_a_hand_off_to_sign_are_found_each_alone(rotation, a, b):
    now = timezone.now()
    week = rotation.weeks.filter(starts_at__gt=now, engineer=b).earliest("starts_at")
    sync_rotation(rotation, at=now)
    handoff = Handoff.objects.get(at=week.starts_at)
    before, after = handoff.meeting_starts_at - MINUTE, week.starts_at + MINUTE
    none = ReaderTasks(swaps=False, cover_requests=False, handoffs=False, shifts=False)
    assert reader_tasks(b, at=before) == replace(none, shifts=True)
    assert reader_tasks(handoff.outgoing, at=after) == replace(none, handoffs=True)


def test_a_new_name_shows_in_the_groups_and_in_the_list_of_problems(client, rotation, a, b, c):
    away(a, at=timezone.now())
    broken = rotation.pipelines.get(pipeline__name="Broken").pipeline
    open_incident(broken, what=NewIncident(kind="outage", title="Down"), by=None, at=timezone.now())
    client.force_login(b)
    client.get("/now/")
    for person, name in ((a, "Anna"), (c, "Chloe")):
        User.objects.filter(pk=person.pk).update(display_name=name, display_key=name.lower())
    text = client.get("/now/").content.decode()
    after_name = '(?: <span class="muted">|</td><td class="why" data-label="Why"><span>)'
    reasons = re.findall(rf'title="([^"]+)">[^<]*</span></span>{after_name}([^<]*; \w+)', text)
    assert reasons == [("Chloe", "primary owner; Anna")] * 2


def test_names_are_shown_as_text_in_the_groups_and_in_the_list_of_problems(client, rotation, a, b, c, d):
    hostile = '"><script>alert(1)</script>'
    Rotation.objects.filter(pk=rotation.pk).update(name=f"{hostile}R")
    Pipeline.objects.update(name=f"{hostile}P", audience=f"{hostile}T")
    for person, name in ((a, "A"), (c, "C"), (d, "D")):
        User.objects.filter(pk=person.pk).update(display_name=hostile + name, display_key=name)
    away(a, at=timezone.now())
    broken = rotation.pipelines.order_by("pipeline").last().pipeline
    open_incident(broken, what=NewIncident(kind="outage", title="Down"), by=None, at=timezone.now())
    client.force_login(b)
    html = client.get("/now/").content.decode()
    assert hostile not in html
    group, row = html[html.index('aria-labelledby="group-') :], html[html.index('<tr><th scope="row">') :]
    groups, rows = group[: group.index("</section>")], row[: row.index("</tr>")]
    # The names of the rotation, the audience, the owners, the pipeline, its responder and those before them.
    assert {name: groups.count(escape(hostile + name)) for name in "RTDPCA"} == {
        "R": 1,
        "T": 2,
        "D": 0,
        "P": 2,
        "C": 2,
        "A": 1,
    }
    assert {name: rows.count(escape(hostile + name)) for name in "RTDPCA"} == {
        "R": 0,
        "T": 2,
        "D": 2,
        "P": 2,
        "C": 4,
        "A": 1,
    }


def test_filters_are_remembered_until_they_are_cleared(client, rotation, b, c):
    make_pipeline("Alone", primary=b, secondary=c, position=9)
    client.force_login(b)
    assert listed(client.get("/", {"owner": "me"}).context) == ["Alone"]
    assert listed(client.get("/").context) == ["Alone"]
    assert "Healthy" not in client.get("/now/").content.decode()
    assert listed(client.get("/", {"q": "heal", "rotation": rotation.slug}).context) == ["Healthy"]
    assert "No pipeline matches these filters." in client.get("/", {"rotation": "unknown"}).content.decode()
    assert listed(client.get("/", {"q": ""}).context) == ["Healthy", "Broken", "Alone"]
    assert listed(client.get("/").context) == ["Healthy", "Broken", "Alone"]


@each("cookie", ["\0", "q=%00", "q=" + "x" * 9000, "&" * 1000, "é", "owner=me&owner=x", "rotation='"])
def test_a_broken_cookie_of_filters_is_ignored(client, rotation, a, cookie):
    client.force_login(a)
    client.cookies["now_filters"] = cookie
    assert client.get("/").status_code == 200


def test_a_new_engineer_sees_how_to_set_up_the_account(client, rotation, a):
    assert "Set up your account" in page(client, a)
    assert "Choose your country" in client.get("/me/").content.decode()
    User.objects.update(date_joined=timezone.now() - 31 * DAY)
    assert "Set up your account" not in page(client, a)
    assert "Set up your account" in client.get("/me/").content.decode()


def test_a_banner_says_why_notifications_are_not_delivered(client, rotation, a):
    at = timezone.now()
    assert delivery_problem(at=at) == "No scheduler is running."
    assert "Notifications are not being delivered" in page(client, a)
    services.record_beat()
    assert delivery_problem(at=at) == "No worker is running."
    services.record_heartbeat(worker="celery@one")
    assert delivery_problem(at=at) == ""
    assert "Notifications are not being delivered" not in page(client, a)
    Message.objects.create(
        recipient=a,
        type="test",
        dedup_key="1",
        subject="S",
        text="T",
        due_at=at - dt.timedelta(minutes=5),
        expires_at=at + DAY,
    )
    assert delivery_problem(at=at) == "The oldest message is 5 min late."


@each(
    ("channel", "retried_in", "problem"),
    [
        ("webhook", 1, ""),
        ("ntfy", 1, ""),
        # The worker has not tried it again.
        ("webhook", -3, "The oldest message is 3 min late."),
        # The mail server is the same for everybody.
        ("email", 1, "The oldest message is 5 min late."),
        ("sms", 1, "The oldest message is 5 min late."),
    ],
)
def test_an_address_of_one_person_that_fails_is_no_problem_of_the_site(db, a, channel, retried_in, problem):
    at = timezone.now()
    services.record_beat()
    services.record_heartbeat(worker="celery@one")
    Message.objects.create(
        recipient=a,
        type="test",
        dedup_key="1",
        channel=channel,
        subject="S",
        text="T",
        due_at=at - dt.timedelta(minutes=5),
        retry_at=at + dt.timedelta(minutes=retried_in),
        attempts=3,
        expires_at=at + DAY,
    )
    assert delivery_problem(at=at) == problem
    assert outbox(at=at).lag_seconds == {"": 0, "The oldest message is 3 min late.": 180}.get(problem, 300)


def test_a_site_that_has_just_started_waits_for_its_worker_first(db, settings):
    at = timezone.now()
    settings.SITE_STARTED_AT = at - dt.timedelta(seconds=59)
    assert delivery_problem(at=at) == ""
    assert delivery_problem(at=at + dt.timedelta(seconds=1)) == "No scheduler is running."


@each(
    ("path", "section", "tab"),
    [
        ("/", "Now", None),
        ("/schedule/", "Schedule", "Timeline"),
        ("/swaps/", "Schedule", "Swaps &amp; covers"),
        ("/handoffs/", "Schedule", "Hand-offs"),
        ("/incidents/", "Incidents", "Incidents"),
        ("/incidents/reports/", "Incidents", "Analytics"),
        ("/incidents/drills/", "Incidents", "Drills"),
        ("/checks/", "Pipelines", "Checks"),
    ],
)
def test_the_section_and_the_tab_are_marked(client, rotation, a, path, section, tab):
    client.force_login(a)
    answer = client.get(path)
    assert [entry.label for entry in answer.context["nav_sections"] if entry.current] == [section]
    current = [link.label.replace("&", "&amp;") for link in answer.context["nav_tabs"] if link.current]
    assert current == ([tab] if tab else [])


def test_the_theme_is_stored_in_a_cookie(client, a):
    client.force_login(a)
    answer = client.post("/theme/", {"theme": "dark", "next": "/pipelines/?q=x"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/pipelines/?q=x")
    assert '<html lang="en" data-theme="dark">' in client.get("/").content.decode()
    client.post("/theme/", {"theme": "system"})
    assert '<html lang="en">' in client.get("/").content.decode()


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org", "javascript:x", ""])
def test_the_theme_form_does_not_redirect_to_another_site(client, a, target):
    client.force_login(a)
    assert client.post("/theme/", {"theme": "dark", "next": target}).headers["Location"] == "/"


@pytest.mark.parametrize("path", ["/", "/api/v1/pipelines/"])
def test_a_database_that_is_restarting_is_a_503(a, monkeypatch, path):
    def fail(*args, **kwargs):
        raise OperationalError("server closed the connection unexpectedly")

    headers = bearer(a)
    monkeypatch.setattr(now_view, "page_version", fail)
    monkeypatch.setattr("oncall_site.api.pipelines.statuses", fail)
    browser = Client(raise_request_exception=False)
    browser.force_login(a)
    answer = browser.get(path, **headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    if path.startswith("/api/"):
        assert answer.json()["detail"].startswith("The database is not available.")
    else:
        assert "The site is not available" in answer.content.decode()
