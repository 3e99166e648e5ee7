"""The slash command /oncall: who is on call, why, until when, and who is next."""

import datetime as dt

import pytest
from django.utils import timezone

from notifications.models import SlackMember
from people.models import User
from pipelines.models import Pipeline
from scheduling.models import Rotation
from scheduling.queries.on_call import on_call_shifts, responder_chains
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.slack_answers import answer_on_call
from tests.factories import import_example
from tests.notifications.channels.slack import FakeSlack, connect, signed_post

HOOK = "/hooks/slack/commands/"
NOW = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)


@pytest.fixture
def rotation(db):
    import_example(at=NOW, starting=(NOW - dt.timedelta(days=7 + NOW.weekday())).date())
    return Rotation.objects.get()


@pytest.fixture
def pipeline(rotation):
    return Pipeline.objects.get(slug="daily-growth-experiment-focused")


def test_all_rotations(rotation, a):
    [shift] = on_call_shifts([rotation], at=NOW)
    answer = answer_on_call("", reader=a, at=NOW)
    assert f"*{shift.engineer}* is on call until Mon 30 Nov, 10:00 UTC." in answer
    assert "Why: their shift in the rotation." in answer
    assert f"Next: {shift.next_engineer}, from Mon 30 Nov, 10:00 UTC." in answer
    assert answer_on_call(" HELP ", reader=a, at=NOW) == answer


def test_a_pipeline_by_name_slug_or_part(pipeline, a):
    links = responder_chains([pipeline], at=NOW)[pipeline.pk].links
    answer = answer_on_call(str(pipeline), reader=a, at=NOW)
    assert answer_on_call(pipeline.slug, reader=a, at=NOW) == answer
    assert answer_on_call("daily GROWTH", reader=a, at=NOW) == answer
    assert f"*{links[0].engineer}* responds" in answer
    assert "Why: on call." in answer
    assert f"Next in the chain: {links[1].engineer}, primary owner." in answer


def test_who_is_skipped_and_why(pipeline, a):
    links = responder_chains([pipeline], at=NOW)[pipeline.pk].links
    engineer = links[0].engineer
    person = User.objects.get(pk=engineer.id)
    create_holiday(person, data=HolidayData(NOW.date(), NOW.date(), kind="sick"), by=person)
    answer = answer_on_call(pipeline.slug, reader=a, at=NOW)
    assert f"Skipped: {engineer}, on call (" in answer
    assert f"*{links[1].engineer}* responds" in answer


def test_a_name_that_is_unknown_or_not_unique(pipeline, a):
    assert answer_on_call("<nothing>\0", reader=a, at=NOW) == "No pipeline or rotation is called “&lt;nothing&gt;”."
    answer = answer_on_call("focused", reader=a, at=NOW)
    assert answer.startswith("Several names match “focused”:\n• ")
    assert answer.endswith("Enter more of the name.")


@pytest.fixture
def slack(settings, monkeypatch):
    fake = FakeSlack()
    connect(fake, settings, monkeypatch)
    yield fake
    fake.stop()


def test_the_command_answers_only_linked_users_of_slack(client, slack, rotation, a):
    SlackMember.objects.create(person=a, email="a@example.org", slack_id="U1", looked_up_at=timezone.now())
    fields = {"command": "/oncall", "text": "", "user_id": "U1", "team_id": "T1"}
    answer = signed_post(client, HOOK, fields)
    assert answer.status_code == 200
    assert answer.json()["response_type"] == "ephemeral"
    assert "is on call until" in answer.json()["text"]
    stranger = signed_post(client, HOOK, {**fields, "user_id": "U2"}).json()["text"]
    assert stranger.startswith("Your Slack account is not linked to an active user")
    assert signed_post(client, HOOK, fields, secret="f" * 32).status_code == 403
    assert client.post(HOOK, fields).status_code == 403
    again = signed_post(client, HOOK, fields, at=1)
    assert again.status_code == 403
