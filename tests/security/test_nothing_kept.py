"""Promise 19: neither a database dump nor the log contains a usable token, feed URL, data source URL or other secret."""

import base64
import io
import json
import logging
import re
import urllib.parse

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from notifications.channels.push.site_key import find_site_key
from notifications.channels.slack_app.signatures import signature
from notifications.models import PrivateHost
from notifications.queries.slack import slack_app
from notifications.services.delivery import deliver_one
from notifications.services.slack import answer_later
from oncall_site.logs import JsonFormatter, MaskingFilter
from oncall_site.services import invite
from people.models import User
from team_channels.services.delivery import deliver_one as deliver_to_channels
from tests.factories import PASSWORD, add_contact_method, make_pipeline
from tests.notifications.channels.push.service import Browser
from tests.people.test_second_factor import code_of
from validation.services.data_sources import create_data_source

LINKED = "https://127.0.0.1/private-3f9a77c2/basic.ics"
WAREHOUSE = "postgresql://reader:word-of-the-warehouse@127.0.0.1:1/warehouse"
HOOK = "https://hooks.invalid/in/T0psecretHook?key=T0psecretHook"
ANSWER = "https://hooks.invalid/commands/Answ3rT0ken9f7"
GOTIFY = "https://gotify.example.org/message?token=G0t1fyT0ken.1"
CHAT = "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js"


def post(browser, path, **fields):
    return browser.post(path, fields, follow=True).content.decode()


def found(pattern, text):
    return re.search(pattern, text)[1]


@pytest.fixture
def log():
    """Return the log at its most detailed level."""
    written, loggers = io.StringIO(), [logging.getLogger(), logging.getLogger("oncall_site.requests")]
    handler = logging.StreamHandler(written)
    handler.addFilter(MaskingFilter())
    handler.setFormatter(JsonFormatter())
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    loggers[0].removeHandler(handler)


@pytest.fixture
def secrets(db, admin, a, log, mailoutbox):
    """Create one secret of each kind and use it over HTTP, correctly and incorrectly; return them by name."""
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    a.refresh_from_db()
    built = {"password": PASSWORD}
    invite(a, by=admin, at=timezone.now())
    deliver_one()
    link = found(r"(/password/[0-9a-f]{64}/)", mailoutbox[0].body)
    built["mailed link, used"] = link.split("/")[2]
    browser, wrong = Client(), Client(raise_request_exception=False)
    browser.get(link)
    given = {"secret": built["mailed link, used"], "new_password1": PASSWORD, "new_password2": PASSWORD}
    post(browser, "/password/", **{**given, "new_password2": "other"})
    post(browser, "/password/", **given)
    wrong.post("/sign-in/", {"username": PASSWORD, "password": "x"})
    wrong.post("/sign-in/", {"username": "engineer-a", "password": f"{PASSWORD}?"})
    post(browser, "/sign-in/", username="engineer-a", password=PASSWORD)
    built["session"] = browser.cookies["sessionid"].value
    built["token"] = found(
        r"(oncall_[\w-]{40,})", created(browser, "/me/tokens/", "/me/tokens/", name="all", scope="write")
    )
    bearer = Client(headers={"authorization": f"Bearer {built['token']}"})
    assert bearer.get("/api/v1/oncall/").status_code == 200
    bearer.get(f"/api/v1/oncall/?at={built['token']}-not")
    built["feed address"] = found(r"/feeds/([\w-]{40,})\.ics", created(browser, "/me/feeds/", "/me/feeds/"))
    assert Client().get(f"/feeds/{built['feed address']}.ics").status_code == 200
    built["feed address by the API"] = found(
        r"/feeds/([\w-]{40,})\.ics",
        bearer.post("/api/v1/feeds/", {}, content_type="application/json").json()["url"],
    )
    bearer.put("/api/v1/calendar-link/", json.dumps({"address": LINKED}), content_type="application/json")
    built["linked calendar"] = "private-3f9a77c2"
    create_data_source(name="warehouse", address=WAREHOUSE, by=admin)
    built["source"] = "word-of-the-warehouse"
    subscription = Browser("https://fcm.googleapis.com/fcm/send/dEv1ce-7c1f").subscription
    bearer.post("/api/v1/me/push-devices/", json.dumps(subscription), content_type="application/json")
    built["push endpoint"], built["push key"] = "dEv1ce-7c1f", subscription["keys"]["p256dh"]
    built["push secret"] = subscription["keys"]["auth"]
    bearer.post("/api/v1/me/push-key/", {}, content_type="application/json")
    built["site’s push key"] = find_site_key().private_text
    add_contact_method(a, channel="chat", address=CHAT)
    built["chat address"] = "JHMHI8qBe7bk2ZwO5U711o3dV_js"
    built |= channel_secrets(bearer, admin, a)
    post(browser, "/sign-in/again/", password=PASSWORD)
    built["second factor"] = found(r'class="secret">(\w+)<', browser.get("/me/second-factor/enrol/").content.decode())
    being_enrolled = dump()
    assert built["second factor"] not in being_enrolled
    post(browser, "/me/second-factor/enrol/", code=code_of(built["second factor"]))
    codes = re.findall(r"<li><code>(\d+)</code>", browser.get("/me/second-factor/codes/").content.decode())
    built["recovery code"] = codes[0]
    invite(a, by=admin, at=timezone.now(), reset=True)
    deliver_one()
    built["mailed link"] = found(r"/password/([0-9a-f]{64})/", mailoutbox[-1].body)
    assert browser.get(f"/password/{built['mailed link']}/").status_code == 200
    return built


def channel_secrets(bearer, admin, owner):
    """Add a webhook of a pipeline, post to it and give it a new secret; connect Slack and Gotify. Return the secrets by name."""
    make_pipeline("Orders", primary=owner, secondary=admin)
    path, key = "/api/v1/pipelines/orders/channels/", {"content_type": "application/json"}
    hook = {"kind": "webhook", "name": "Hook", "address": HOOK, "events": ["incident.opened"]}
    answer = bearer.post(path, hook, headers={"idempotency-key": "first"}, **key).json()
    bearer.post(f"{path}{answer['id']}/test/", {}, **key)
    deliver_to_channels()
    again = bearer.post(f"{path}{answer['id']}/rotate-secret/", {}, headers={"idempotency-key": "second"}, **key).json()
    at = timezone.now()
    staff = Client()
    staff.force_login(admin)
    app = {"typed_token": "xoxb-1-2-word0fthebot", "typed_secret": "0123456789abcdef0123456789abcdef"}
    staff.post("/admin/notifications/slackapp/add/", app)
    assert slack_app().bot_token == app["typed_token"]
    body = f"user_id=U1&text=&response_url={ANSWER}&at={at.timestamp()}".encode()
    stamp = str(int(at.timestamp()))
    signed = signature(app["typed_secret"], timestamp=stamp, body=body)
    headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signed}
    form = "application/x-www-form-urlencoded"
    assert Client().post("/hooks/slack/commands/", body, content_type=form, headers=headers).status_code == 200
    answer_later(response_url=ANSWER, text="No.")
    PrivateHost.objects.create(host="gotify.example.org")
    add_contact_method(owner, channel="gotify", address=GOTIFY)
    return {
        "webhook address": "T0psecretHook",
        "webhook secret": answer["secret"].removeprefix("whsec_"),
        "new webhook secret": again["secret"].removeprefix("whsec_"),
        "bot token": "word0fthebot",
        "signing secret": app["typed_secret"],
        "answer address": "Answ3rT0ken9f7",
        "gotify token": "G0t1fyT0ken.1",
    }


def created(browser, path, page, **fields):
    """Post a form that creates a secret; return the page that shows the secret once."""
    assert browser.post(path, fields).headers["Location"] == page
    return browser.get(page).content.decode()


def dump():
    """Return every row of every table in the format of a dump (COPY)."""
    written = io.StringIO()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            written.write(f"\nCOPY {table}\n")
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', written)
    return written.getvalue()


def readings(text):
    """Return a text as it is, with base64 decoded, and with escapes undone."""
    decoded = []
    for found_there in re.findall(r"[A-Za-z0-9+/_-]{24,}", text):
        piece = found_there[: len(found_there) - (len(found_there) % 4 == 1)]
        raw = base64.b64decode(piece.replace("-", "+").replace("_", "/") + "==", validate=False)
        decoded.append(raw.decode("latin-1"))
    return "\n".join([text, urllib.parse.unquote(text), *decoded])


def test_neither_a_dump_nor_the_log_contains_a_secret(secrets, log):
    assert len(secrets) == 23
    tables = readings(dump())
    # The scan reads what is stored: the first characters of a token are, to recognise it.
    assert secrets["token"][:13] in tables
    held = [name for name, secret in secrets.items() if secret in tables]
    assert held == [], f"the dump holds: {held}"
    log_lines = readings(log.getvalue())
    assert "POST /sign-in/ 302" in log_lines
    assert "/feeds/" in log_lines
    leaked = [name for name, secret in secrets.items() if secret in log_lines]
    assert leaked == [], f"the log holds: {leaked}"


def test_a_dump_alone_does_not_reveal_encrypted_secrets(secrets):
    text = dump()
    assert settings.SECRET_KEY not in text
    # Everything that is looked up by its digest: nothing in the dump can be presented.
    for token in re.findall(r"\b[0-9a-f]{40}\b|\b[0-9a-f]{64}\b", text)[:200]:
        assert Client(headers={"authorization": f"Bearer {token}"}).get("/api/v1/oncall/").status_code == 401
        assert Client().get(f"/password/{token}/").status_code == 404
        assert Client().get(f"/feeds/{token}.ics").status_code == 404
        thief = Client()
        thief.cookies["sessionid"] = token
        assert thief.get("/").status_code == 302
