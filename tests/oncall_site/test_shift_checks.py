"""Before a shift: what its engineer is asked to do, on Now and by mail, and when the admins are notified."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications.models import ContactMethod, EmailRejection, Message, NotificationPolicy
from notifications.services.preferences import update_preferences
from oncall_site.services import check_shifts, send_weeks_ahead
from oncall_site.shift_checks import shift_checks
from people.models import User
from runbooks.services import mark_read, save_revision
from scheduling.models import CoverRequest, HolidayBlock, SwapRequest
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from tests.factories import add_contact_method, bearer, current_monday, make_runbook

DAY = dt.timedelta(days=1)


@pytest.fixture
def week(a, b, daily_growth):
    """The next shift of A in a rotation with a pipeline, which has a runbook; B is on call now."""
    at = timezone.now()
    rotation = import_rotation(RotationText("Weekly", "", "Policy", "", ()), time_zone="UTC")
    set_roster(rotation, engineers=[b, a], starts_on=current_monday(at), at=at)
    join_rotation(rotation, pipelines=[daily_growth])
    make_runbook(daily_growth, author=a)
    return rotation.weeks.filter(engineer=a).select_related("engineer").order_by("starts_at").first()


@pytest.fixture
def ready(a):
    """A confirmed a contact method today."""
    return add_contact_method(a, channel="webhook", address="https://hooks.example.org/a")


def problems(week, *, at=None):
    [check] = shift_checks(at=at or week.starts_at - 4 * DAY, engineer=week.engineer)
    return [problem.text for problem in check.problems]


def test_an_engineer_who_is_ready_has_nothing_to_do(week, ready):
    assert problems(week) == []
    assert check_shifts(at=week.starts_at - DAY) == 0


def test_shifts_are_checked_five_days_before(week):
    assert shift_checks(at=week.starts_at - 5 * DAY - dt.timedelta(seconds=1)) == []
    assert [check.week for check in shift_checks(at=week.starts_at - 5 * DAY)] == [week]
    assert shift_checks(at=week.starts_at) == []


def test_the_e_mail_address_accepts_messages(week, ready, a):
    User.objects.filter(pk=a.pk).update(email="gone@example.org")
    EmailRejection.objects.create(
        person=a, address="gone@example.org", problem="550 No such user", rejected_at=timezone.now()
    )
    assert problems(week) == ["Correct your e-mail address. 550 No such user"]
    User.objects.filter(pk=a.pk).update(email="new@example.org")
    assert problems(week) == []


def test_a_contact_method_was_confirmed_within_90_days(week, ready):
    at = week.starts_at - DAY
    ContactMethod.objects.update(verified_at=at - 90 * DAY)
    assert problems(week, at=at) == []
    ContactMethod.objects.update(verified_at=at - 91 * DAY)
    [text] = problems(week, at=at)
    assert text.startswith("Confirm that urgent messages reach you by a contact method besides e-mail")
    ContactMethod.objects.update(verified_at=at, switched_off_at=at)
    assert problems(week, at=at) == [text]


def test_it_must_be_one_of_the_channels_that_the_admins_ask_for(week, ready):
    NotificationPolicy.objects.create(pk=1, high_needs_one_of=["push", "sms"])
    assert problems(week)[0].startswith("Confirm that urgent messages reach you by push, SMS. ")


def test_an_absence_during_the_shift_is_named_without_its_kind(week, ready, a):
    day = week.starts_on + 2 * DAY
    create_holiday(a, data=HolidayData(day, day, kind="sick", note="private"), by=a)
    [text] = problems(week)
    assert text.startswith("Request cover or a swap for the time off from ")
    assert "sick" not in text
    [block] = HolidayBlock.objects.all()
    asked = {"rotation": week.rotation, "requester": a, "requested_by": a}
    asked |= {"created_at": block.starts_at, "expires_at": block.ends_at}
    request = CoverRequest.objects.create(**asked, starts_at=block.starts_at, ends_at=block.ends_at)
    assert problems(week) == [f"Nobody has accepted your request for the {text.partition('for the ')[2][:-1]} yet."]
    CoverRequest.objects.filter(pk=request.pk).update(starts_at=block.starts_at + dt.timedelta(hours=1))
    assert problems(week) == [text]
    SwapRequest.objects.create(**asked, offered_week=week.starts_on)
    assert problems(week) == [f"Nobody has accepted your request for the {text.partition('for the ')[2][:-1]} yet."]


def test_runbooks_that_others_changed_are_read(week, ready, a, b, daily_growth):
    runbook = daily_growth.runbook
    save_revision(runbook, markdown="### Purpose\n\nNew.", based_on=1, author=b)
    assert problems(week) == [f"Read the updated runbook of {daily_growth}."]
    runbook.refresh_from_db()
    mark_read(runbook, by=a)
    assert problems(week) == []
    save_revision(runbook, markdown="### Purpose\n\nOwn.", based_on=2, author=a)
    assert problems(week) == []


def test_a_runbook_is_marked_as_read_on_its_page_and_by_the_api(week, ready, a, b, daily_growth, signed_in, client):
    save_revision(daily_growth.runbook, markdown="### Purpose\n\nNew.", based_on=1, author=b)
    browser, path = signed_in(a), f"/runbooks/{daily_growth.slug}/"
    assert 'Mark as read<span class="visually-hidden">: revision 2' in browser.get(path).content.decode()
    assert browser.post(f"{path}read/").status_code == 302
    assert "Mark as read" not in browser.get(path).content.decode()
    assert problems(week) == []
    assert client.post(f"/api/v1/runbooks/{daily_growth.slug}/read/", **bearer(b)).status_code == 204


def test_the_engineer_is_notified_once_and_the_admins_two_days_before(week, a, admin):
    def recipients():
        return sorted(Message.objects.filter(type__startswith="shift-").values_list("type", "recipient__username"))

    check_shifts(at=week.starts_at - 4 * DAY)
    check_shifts(at=week.starts_at - 3 * DAY)
    assert recipients() == [("shift-to-prepare", "engineer-a")]
    check_shifts(at=week.starts_at - 2 * DAY)
    check_shifts(at=week.starts_at - DAY)
    assert recipients() == [("shift-not-prepared", admin.username), ("shift-to-prepare", "engineer-a")]
    message = Message.objects.get(type="shift-to-prepare")
    assert message.subject.endswith("1 to do")
    assert "- Confirm that urgent messages reach you" in message.text


def test_now_shows_what_is_to_be_done(week, a, b, signed_in, monkeypatch):
    from oncall_site.views import now

    monkeypatch.setattr(now.timezone, "now", lambda: week.starts_at - DAY)
    assert "Before your shift on" in signed_in(a).get("/").content.decode()
    assert "Before your shift on" not in signed_in(b).get("/").content.decode()


def test_the_week_ahead_comes_on_monday_morning_to_those_who_want_it(week, a, b):
    update_preferences(a, channels={"week-ahead": ["email"]}, quiet=None)
    day = week.starts_on - dt.timedelta(days=week.starts_on.weekday())
    early = dt.datetime.combine(day, dt.time(6, 59), dt.UTC)
    assert send_weeks_ahead(at=early) == 0
    assert send_weeks_ahead(at=early + 2 * DAY) == 0
    send_weeks_ahead(at=early + dt.timedelta(minutes=1))
    send_weeks_ahead(at=early + dt.timedelta(hours=3))
    [message] = Message.objects.filter(type="week-ahead")
    assert message.recipient == a
    assert message.text.startswith("- On call for Weekly: ")
