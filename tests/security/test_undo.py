"""Undo: each action on what a person made can be undone for ten minutes by its author, unless somebody changed it meanwhile."""

import datetime as dt
import html
import re

import pytest
from django.utils import timezone

from handoffs.models import ActionItem, Handoff, HandoffNote
from incidents.models import Incident, TimelineEntry
from notifications.models import ContactMethod, NotificationRule
from people.models import User
from runbooks.models import Runbook
from scheduling.models import (
    Cover,
    CoverRequest,
    HolidayBlock,
    PipelineRotation,
    RosterMember,
    Rotation,
    RotationWeek,
    SwapRequest,
)
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import create_rotation
from scheduling.services.swaps import accept_swap
from team_channels.models import ChannelDelivery, TeamChannel
from tests.security.permission_matrix import RULES
from validation.models import Check, CheckResult, KnownEvent, Metric

# On one worker of xdist, so that the rows are created once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("undo")]

ABSENCE = ("engineer", "starts_on", "ends_on", "starts_at", "ends_at", "kind", "note", "time_zone")
COVER = ("rotation", "engineer", "covered_engineer", "starts_at", "ends_at", "reason")
SWAP = ("requester", "offered_week", "wanted_week", "third_week", "counterpart", "third", "message", "acknowledged")
COVER_REQUEST = ("requester", "counterpart", "starts_at", "ends_at", "message")
CHECK = ("name", "severity", "interval_minutes", "metric", "parameters", "muted_until", "deleted_at")
WEEK = ("rotation", "starts_on", "starts_at", "ends_at", "engineer", "planned_engineer")
MEMBER = ("roster__rotation", "roster__starts_on", "position", "engineer")
ROTATION = ("name", "description", "time_zone", "handoff_weekday", "handoff_time")
EVENT = ("pipeline", "metric", "starts_on", "ends_on", "name")


def rows(queryset, *fields):
    return sorted(queryset.values_list(*fields), key=str)


STATES = {
    "/calendar/": lambda: rows(HolidayBlock.objects.all(), *ABSENCE),
    "/schedule/": lambda: (
        rows(Cover.objects.all(), *COVER),
        rows(Rotation.objects.active(), *ROTATION),
        rows(RotationWeek.objects.filter(rotation__archived_at=None), *WEEK),
        rows(RosterMember.objects.filter(roster__rotation__archived_at=None), *MEMBER),
        rows(PipelineRotation.objects.all(), "pipeline", "rotation"),
        rows(SwapRequest.objects.all(), *SWAP, "state", "decided_at"),
        rows(CoverRequest.objects.all(), *COVER_REQUEST, "state", "decided_at"),
    ),
    "/channels/": lambda: (
        rows(TeamChannel.objects.all(), "pk", "name", "kind", "events", "shown_as"),
        rows(ChannelDelivery.objects.filter(channel__deleted_at=None), "pk", "channel", "event_id"),
    ),
    "/me/notifications/": lambda: (
        rows(ContactMethod.objects.all(), "person", "channel", "address_digest", "verified_at"),
        rows(NotificationRule.objects.all(), "person", "urgency", "channel", "delay_minutes"),
    ),
    "/checks/metrics/": lambda: rows(Metric.objects.all(), "pipeline", "slug", "name", "kind", "grain", "time_zone"),
    "/covers/requests/": lambda: (
        rows(CoverRequest.objects.pending(), *COVER_REQUEST, "declined_by"),
        rows(Cover.objects.all(), *COVER),
    ),
    "/covers/request/": lambda: rows(CoverRequest.objects.pending(), *COVER_REQUEST),
    "/covers/": lambda: rows(Cover.objects.all(), *COVER),
    "/swaps/": lambda: (
        rows(SwapRequest.objects.pending(), *SWAP, "accepted_by", "declined_by"),
        rows(RotationWeek.objects.all(), *WEEK),
        rows(Cover.objects.all(), *COVER),
    ),
    "/handoffs/": lambda: (
        rows(HandoffNote.objects.exclude(text=""), "handoff", "title", "text"),
        rows(Handoff.objects.all(), "meeting_starts_at", "meeting_ends_at", "moved"),
    ),
    "/action-items/": lambda: [(text, bool(at)) for text, at in rows(ActionItem.objects.all(), "text", "done_at")],
    "/incidents/": lambda: (
        rows(Incident.objects.all(), "state", "snoozed_until", "next_escalation_at", "title", "kind", "severity"),
        rows(TimelineEntry.objects.filter(kind="note"), "text"),
    ),
    "/checks/": lambda: (
        rows(Check.objects.all(), *CHECK),
        rows(KnownEvent.objects.all(), *EVENT),
        rows(CheckResult.objects.all(), "acknowledged_by", "expected"),
    ),
    "/runbooks/": lambda: [
        runbook.revisions.get(number=runbook.revision).markdown for runbook in Runbook.objects.all()
    ],
}
# The owner does these of the permission matrix.
ACTIONS = [
    "POST /calendar/add/",
    "POST /calendar/holidays/{holiday}/",
    "POST /calendar/holidays/{holiday}/delete/",
    "POST /schedule/{rotation}/cover/",
    "POST /covers/{cover}/end/",
    "POST /schedule/new/",
    "POST /schedule/{rotation}/edit/",
    "POST /schedule/{rotation}/archive/",
    "POST /schedule/{rotation}/roster/",
    "POST /channels/{channel}/delete/",
    "POST /me/notifications/contact-methods/",
    "POST /me/notifications/contact-methods/{contact_method}/remove/",
    "POST /me/notifications/rules/",
    "POST /checks/metrics/new/",
    "POST /checks/metrics/{metric_pk}/",
    "POST /swaps/request/?rotation={rotation}&week={week} #mine",
    "POST /swaps/{asking}/cancel/",
    "POST /swaps/{asked}/accept/",
    "POST /swaps/{asked}/decline/",
    "POST /covers/request/?rotation={rotation} #mine",
    "POST /covers/requests/{cover_asking}/cancel/",
    "POST /covers/requests/{cover_asked}/accept/",
    "POST /covers/requests/{cover_asked}/decline/",
    "POST /handoffs/{handoff}/",
    "POST /handoffs/{handoff}/meeting/",
    "POST /action-items/add/",
    "POST /action-items/{item}/done/",
    "POST /incidents/{incident}/note/",
    "POST /incidents/{incident}/snooze/",
    "POST /incidents/{incident}/edit/",
    "POST /checks/new/?pipeline={pipeline}&check_type=range #made",
    "POST /checks/{check}/edit/",
    "POST /checks/{check}/remove/",
    "POST /checks/{check}/mute/",
    "POST /checks/{check}/events/",
    "POST /checks/{check}/events/{event}/remove/",
    "POST /checks/{check}/results/{result}/acknowledge/",
    "POST /runbooks/{pipeline}/edit/",
    "POST /runbooks/{pipeline}/delete/",
    "POST /runbooks/{pipeline}/revisions/1/restore/",
]


# The confirmations of these, and of their undo, name a date.
ABOUT_A_TIME = {
    "POST /calendar/add/",
    "POST /calendar/holidays/{holiday}/",
    "POST /calendar/holidays/{holiday}/delete/",
    "POST /schedule/{rotation}/cover/",
    "POST /covers/{cover}/end/",
    "POST /swaps/request/?rotation={rotation}&week={week} #mine",
    "POST /swaps/{asking}/cancel/",
    "POST /swaps/{asked}/accept/",
    "POST /swaps/{asked}/decline/",
    "POST /covers/request/?rotation={rotation} #mine",
    "POST /covers/requests/{cover_asking}/cancel/",
    "POST /covers/requests/{cover_asked}/accept/",
    "POST /covers/requests/{cover_asked}/decline/",
    "POST /handoffs/{handoff}/meeting/",
    "POST /checks/{check}/events/",
    "POST /checks/{check}/events/{event}/remove/",
}
assert set(ACTIONS) >= ABOUT_A_TIME
A_DAY = re.compile(r"\b\d{1,2}(?:–\d{1,2})? (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")

# Only admins do these.
ADMIN_ACTIONS = {
    "POST /channels/{channel}/delete/",
    "POST /schedule/new/",
    "POST /schedule/{rotation}/edit/",
    "POST /schedule/{rotation}/archive/",
    "POST /schedule/{rotation}/roster/",
}


def actor(key):
    return "admin" if key in ADMIN_ACTIONS else "owner"


def act(world, key, *, who="owner"):
    path = world.fill(key.removeprefix("POST ").partition(" #")[0])
    return world.clients[who].post(path, world.fill(RULES[key].body or {}))


def messages(page):
    return re.findall(r'<li class="callout (\w+)">\s*<span>(.*?)</span>', page.content.decode())


def button(page):
    return html.unescape(re.search(r'name="undo" value="([^"]+)"', page.content.decode())[1])


def undo(client, token):
    """Undo an action; return a short page with the message that says what happened."""
    assert client.post("/undo/", {"undo": token}).status_code == 302
    return client.get("/me/tokens/")


def state(key):
    return next(read for path, read in STATES.items() if key.startswith(f"POST {path}"))()


@pytest.mark.parametrize("key", ACTIONS)
def test_an_action_is_undone_once(world, key):
    before, client = state(key), world.clients[actor(key)]
    answer = act(world, key, who=actor(key))
    assert answer.status_code == 302
    page = client.get(answer.headers["Location"])
    token = button(page)
    assert state(key) != before
    undone = undo(client, token)
    assert [level for level, _ in messages(undone)] == ["ok"], messages(undone)
    if key in ABOUT_A_TIME:
        shown = [text for _, text in (*messages(page), *messages(undone))]
        assert [text for text in shown if not A_DAY.search(text)] == []
    assert state(key) == before
    again = undo(client, token)
    assert state(key) == before
    assert [level for level, _ in messages(again)] in (["danger"], ["ok"])


def cover_again(world):
    """Engineer C covers the time of the ended cover."""
    rotation, c = Rotation.objects.get(), User.objects.get(username="engineer-c")
    week = rotation.weeks.filter(engineer__username="engineer-b", starts_at__gt=timezone.now()).order_by("starts_on")[1]
    data = CoverData(c, week.starts_at, week.starts_at + dt.timedelta(hours=1))
    create_cover(rotation, data=data, by=world.people["admin"], at=timezone.now())


def same_name(world):
    """Another rotation has the name of the archived one."""
    admin = world.people["admin"]
    create_rotation(name="Weekly", engineers=[admin], by=admin, at=timezone.now())


def replanned(world):
    """Another roster starts two weeks after the changed one."""
    rotation, admin = Rotation.objects.get(), world.people["admin"]
    starts_on = RotationWeek.objects.latest("starts_on").starts_on
    change_roster(rotation, engineers=[admin], starts_on=starts_on, by=admin, at=timezone.now())


# Who acts in between, what they do, and the sentence.
CHANGES = {
    "POST /schedule/{rotation}/archive/": (same_name, "Another rotation now has this name."),
    "POST /schedule/{rotation}/roster/": (replanned, "The schedule of Weekly has since been changed."),
    "POST /calendar/add/": (
        lambda world: HolidayBlock.objects.filter(starts_on="2027-03-01").update(kind="training"),
        "This time off has since changed. Edit or delete it in the calendar.",
    ),
    "POST /calendar/holidays/{holiday}/delete/": (
        lambda world: create_holiday(
            world.people["owner"],
            data=HolidayData(world.words["week"], world.words["week"], note="another note"),
            by=world.people["owner"],
        ),
        "This time off is already in the calendar.",
    ),
    "POST /covers/{cover}/end/": (cover_again, "Engineer C is now on call for part of that time."),
    "POST /swaps/request/?rotation={rotation}&week={week} #mine": (
        lambda world: accept_swap(
            SwapRequest.objects.get(message="please"),
            by=world.people["stranger"],
            at=timezone.now(),
            acknowledge_conflicts=True,
        ),
        "This request is already accepted.",
    ),
    "POST /handoffs/{handoff}/": (
        lambda world: world.clients["stranger"].patch(
            world.fill("/api/v1/handoffs/{handoff}/"),
            {"topics": [{"title": HandoffNote.objects.get().title, "notes": "Mine.", "version": 1}]},
            content_type="application/json",
        ),
        "These notes have since been changed by Engineer D.",
    ),
    "POST /action-items/add/": (
        lambda world: ActionItem.objects.filter(text="To do").update(text="To do now"),
        "This action item has since changed.",
    ),
    "POST /checks/{check}/edit/": (
        lambda world: Check.objects.filter(name="Edited").update(severity="warn"),
        "The settings of this check have since changed.",
    ),
    "POST /checks/new/?pipeline={pipeline}&check_type=range #made": (
        lambda world: Check.objects.filter(pk=Check.objects.latest("pk").pk).update(severity="critical"),
        "The settings of this check have since changed.",
    ),
    "POST /checks/{check}/mute/": (
        lambda world: Check.objects.update(muted_until=None),
        "The check has since been muted or unmuted again.",
    ),
    "POST /checks/{check}/events/": (
        lambda world: KnownEvent.objects.all().delete(),
        "This event has since been deleted.",
    ),
    "POST /runbooks/{pipeline}/edit/": (
        lambda world: world.clients["stranger"].post(
            world.fill("/runbooks/{pipeline}/edit/"), {"markdown": "### Purpose\n\nNewer.", "based_on": "3"}
        ),
        "Revision 4 has since been saved.",
    ),
    "POST /runbooks/{pipeline}/delete/": (
        lambda world: Runbook.all_objects.exclude(deleted_at=None).delete(),
        "This has since been deleted for good.",
    ),
}


@pytest.mark.parametrize("key", CHANGES)
def test_what_changed_meanwhile_is_not_undone(world, key):
    change, sentence = CHANGES[key]
    client = world.clients[actor(key)]
    token = button(client.get(act(world, key, who=actor(key)).headers["Location"]))
    change(world)
    before = state(key)
    page = undo(client, token)
    assert messages(page) == [("danger", f"Not undone. {sentence}")]
    assert state(key) == before


@pytest.mark.parametrize(
    "key",
    [
        "POST /checks/{check}/remove/",
        "POST /checks/{check}/results/{result}/acknowledge/",
        "POST /runbooks/{pipeline}/delete/",
    ],
)
def test_a_button_used_before_does_not_undo_what_somebody_else_did(world, key):
    token = button(world.clients["owner"].get(act(world, key).headers["Location"]))
    undo(world.clients["owner"], token)
    act(world, key, who="stranger")
    before = state(key)
    page = undo(world.clients["owner"], token)
    assert [level for level, _ in messages(page)] == ["danger"]
    assert state(key) == before


def test_ten_minutes_later_it_is_too_late(world, monkeypatch):
    token = button(world.clients["owner"].get(act(world, "POST /action-items/add/").headers["Location"]))
    monkeypatch.setattr("people.undo.UNDO_WINDOW", dt.timedelta(seconds=-1))
    page = undo(world.clients["owner"], token)
    assert messages(page) == [("danger", "This can no longer be undone: 10 minutes have passed.")]
    assert ActionItem.objects.filter(text="To do").exists()


def test_nobody_else_undoes_it(world):
    token = button(world.clients["owner"].get(act(world, "POST /action-items/add/").headers["Location"]))
    assert world.clients["stranger"].post("/undo/", {"undo": token}).status_code == 404
    assert world.clients["owner"].post("/undo/", {"undo": f"{token}x"}).status_code == 404
    assert ActionItem.objects.filter(text="To do").exists()


def test_it_leads_back_to_the_part_of_the_page_with_the_button(world):
    token = button(world.clients["owner"].get(act(world, "POST /action-items/add/").headers["Location"]))
    answer = world.clients["owner"].post(
        "/undo/", {"undo": token}, headers={"referer": "http://testserver/handoffs/?page=2"}
    )
    assert answer.headers["Location"] == "/handoffs/?page=2#action-items"
