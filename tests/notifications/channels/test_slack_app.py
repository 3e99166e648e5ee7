"""The Slack app as a contact method: offered with an app, verified by a code, tested, turned off when a member left."""

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from django.urls import reverse
from django.utils import timezone

from common.exceptions import InvalidInputError
from notifications.models import ContactMethod, Message, SlackApp
from notifications.queries.slack import App, slack_app
from notifications.services.channel_tests import send_method_test
from notifications.services.contact_methods import set_contact_method
from notifications.services.delivery import deliver_one
from tests.factories import add_contact_method, bearer
from tests.notifications.channels.slack import SECRET, TOKEN, FakeSlack, connect
from tests.notifications.news import with_mail

PAGE = "/me/notifications/"
ADD = "/me/notifications/contact-methods/"


@pytest.fixture
def slack(settings, monkeypatch):
    fake = FakeSlack()
    connect(fake, settings, monkeypatch)
    yield fake
    fake.stop()


def deliver_all():
    while deliver_one():
        pass


def posted(slack):
    return [fields["text"] for method, fields in slack.calls if method == "chat.postMessage"]


def test_it_is_added_and_verified_in_the_browser(slack, a, signed_in):
    slack.members["a@slack.example"] = "U1"
    browser = signed_in(a)
    added = browser.post(ADD, {"channel": "slack_dm", "typed": " A@Slack.example "}, follow=True).content.decode()
    assert "Slack added. Enter the code that we sent to it." in added
    assert "a@slack.example" in added
    deliver_all()
    [text] = posted(slack)
    code = re.search(r"Your code is ([0-9]{6})\.", text)[1]
    row = ContactMethod.objects.get()
    verified = browser.post(f"{ADD}{row.pk}/verify/", {"code": code}, follow=True).content.decode()
    assert "Contact method verified." in verified
    browser.post(f"{ADD}{row.pk}/test/")
    deliver_all()
    assert "Slack works. You asked for this test" in posted(slack)[1]
    row.refresh_from_db()
    assert row.last_delivered_at is not None


def test_it_is_added_by_the_api(slack, a, client):
    slack.members["a@slack.example"] = "U1"
    data = {"channel": "slack_dm", "address": "a@slack.example"}
    answer = client.post("/api/v1/me/contact-methods/", data, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()["shown_as"]) == (201, "a@slack.example")
    wrong = {**data, "address": "@a"}
    answer = client.post("/api/v1/me/contact-methods/", wrong, content_type="application/json", **bearer(a))
    assert (answer.status_code, answer.json()) == (
        400,
        {"address": ["Enter the e-mail address of your Slack account."]},
    )


def test_an_address_that_slack_does_not_know_is_turned_off(slack, a):
    set_contact_method(with_mail(a), channel="slack_dm", address="nobody@slack.example", by=a)
    deliver_one()
    row = ContactMethod.objects.get()
    assert (row.is_live, row.problem) == (False, "Slack has no member with this e-mail address.")
    assert row.switched_off_at is not None
    assert Message.objects.get(type="contact-code").state == "failed"


def test_a_member_who_left_is_turned_off(slack, a):
    slack.members["a@slack.example"] = "U1"
    method = add_contact_method(a, channel="slack_dm", address="a@slack.example")
    slack.failures["chat.postMessage"] = [(200, {}, {"ok": False, "error": "user_disabled"})]
    send_method_test(method)
    deliver_one()
    method.refresh_from_db()
    assert (method.is_live, method.problem) == (False, "The member has left the Slack workspace.")


def test_without_an_app_it_is_not_offered(a, signed_in):
    assert 'value="slack_dm"' not in signed_in(a).get(PAGE).content.decode()
    with pytest.raises(InvalidInputError, match="Choose one of"):
        set_contact_method(a, channel="slack_dm", address="a@slack.example", by=a)


def test_admins_set_the_app_up_in_the_admin(signed_in, admin, a):
    browser, path = signed_in(admin), "/admin/notifications/slackapp/"
    data = {"typed_token": TOKEN, "typed_secret": SECRET}
    for wrong in ({"typed_token": "xoxp-1"}, {"typed_secret": "short"}, {"typed_token": ""}, {"typed_secret": ""}):
        answer = browser.post(f"{path}add/", {**data, **wrong})
        assert (answer.status_code, SlackApp.objects.count()) == (200, 0)
    assert browser.post(f"{path}add/", data).status_code == 302
    assert slack_app() == App(TOKEN, SECRET)
    page = browser.get(f"{path}1/change/").content.decode()
    assert (TOKEN in page, SECRET in page) == (False, False)
    browser.post(f"{path}1/change/", {"typed_token": "xoxb-9", "typed_secret": ""})
    assert slack_app() == App("xoxb-9", SECRET)
    assert 'value="slack_dm"' in signed_in(a).get(PAGE).content.decode()


def test_without_an_app_its_messages_fail_visibly(slack, a, settings):
    slack.members["a@slack.example"] = "U1"
    method = add_contact_method(a, channel="slack_dm", address="a@slack.example")
    settings.SLACK_BOT_TOKEN = ""
    send_method_test(method)
    deliver_one()
    message = Message.objects.get()
    assert (message.state, message.problem) == ("failed", "The site has no Slack app.")
    assert message.due_at <= timezone.now()


def test_the_manifest_in_the_documentation_has_the_sites_addresses_and_permissions():
    text = (Path(__file__).parents[3] / "docs" / "operations.md").read_text()
    manifest = yaml.safe_load(textwrap.dedent(re.search(r"```yaml\n(.*?slash_commands.*?)```", text, re.DOTALL)[1]))
    [command] = manifest["features"]["slash_commands"]
    assert (command["command"], command["url"]) == ("/oncall", f"https://oncall.example.org{reverse('slack_commands')}")
    url = manifest["settings"]["interactivity"]["request_url"]
    assert url == f"https://oncall.example.org{reverse('slack_interactivity')}"
    assert manifest["features"]["app_home"]["messages_tab_enabled"] is True
    scopes = {"chat:write", "commands", "users:read", "users:read.email", "usergroups:write"}
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == scopes
