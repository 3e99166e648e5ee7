"""A stand-in for Slack: the Web API that `slack_sdk` calls, and signed requests."""

import itertools
import json
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode

from slack_sdk.models.blocks import Block
from slack_sdk.signature import SignatureVerifier

from common.safe_http import Rules
from notifications.channels.slack_app import client

TOKEN, SECRET = "xoxb-1-2-secret", "0123456789abcdef0123456789abcdef"
REFUSED = {"ok": False}


class FakeSlack:
    """The server: members by e-mail, messages by channel and timestamp, and user groups.

    `failures` are the next responses to a method, instead of the correct one: (status, headers, document).
    """

    def __init__(self):
        self.members, self.messages, self.groups, self.answers = {}, {}, {}, []
        self.channels, self.calls, self.failures, self.delay_seconds = set(), [], {}, 0
        self.numbers = itertools.count(1)
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                path, _, query = self.path.partition("?")
                method = path.rpartition("/")[2]
                time.sleep(fake.delay_seconds)
                if self.path.startswith("/answer/"):
                    fake.answers.append((self.path, json.loads(body)))
                    self.reply(200, {}, {"ok": True})
                    return
                # Slack's library sends JSON or a query, the site sends forms.
                is_json = self.headers["Content-Type"].startswith("application/json")
                fields = json.loads(body) if is_json else {name: values[0] for name, values in parse_qs(body).items()}
                fields |= {name: values[0] for name, values in parse_qs(query).items()}
                if isinstance(fields.get("blocks"), str):
                    fields["blocks"] = json.loads(fields["blocks"])
                fake.calls.append((method, fields))
                if fake.failures.get(method):
                    self.reply(*fake.failures[method].pop(0))
                elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                    self.reply(200, {}, {**REFUSED, "error": "invalid_auth"})
                else:
                    self.reply(200, {}, fake.answer(method, fields))

            def reply(self, status, headers, document):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(json.dumps(document).encode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def join(self, person, slack_id):
        """Add a member with the e-mail address of a person."""
        self.members[person.email] = slack_id

    def answer(self, method, fields):
        """Return the document of a method."""
        for block in Block.parse_all(fields.get("blocks", [])):
            block.validate_json()
        return getattr(self, method.replace(".", "_"))(fields)

    def users_lookupByEmail(self, fields):  # noqa: N802  # Slack's name
        if fields["email"] not in self.members:
            return {**REFUSED, "error": "users_not_found"}
        return {"ok": True, "user": {"id": self.members[fields["email"]]}}

    def chat_postMessage(self, fields):  # noqa: N802  # Slack's name
        channel = fields["channel"]
        if channel in self.members.values():
            channel = f"D{channel[1:]}"
        elif channel not in self.channels:
            return {**REFUSED, "error": "channel_not_found"}
        ts = f"1700000000.{next(self.numbers):06}"
        self.messages[channel, ts] = fields
        return {"ok": True, "channel": channel, "ts": ts}

    def chat_update(self, fields):
        place = fields["channel"], fields["ts"]
        if place not in self.messages:
            return {**REFUSED, "error": "message_not_found"}
        self.messages[place] = fields
        return {"ok": True, "channel": place[0], "ts": place[1]}

    def usergroups_users_update(self, fields):
        if fields["usergroup"] not in self.groups:
            return {**REFUSED, "error": "no_such_subteam"}
        self.groups[fields["usergroup"]] = fields["users"].split(",")
        return {"ok": True, "usergroup": {"id": fields["usergroup"]}}

    def names(self):
        """Return the methods that were called, in order."""
        return [method for method, _ in self.calls]


def connect(fake, settings, monkeypatch):
    """Make the site use the server."""
    settings.SLACK_API_URL, settings.SLACK_BOT_TOKEN, settings.SLACK_SIGNING_SECRET = fake.url, TOKEN, SECRET
    rules = Rules(seconds=10, ports=None, permitted=lambda address: True)
    monkeypatch.setattr(client, "answer_rules", lambda: rules)


def signed_post(http, path, fields, *, secret=SECRET, at=None, **headers):
    """Post as Slack does: signed by its own library."""
    body = urlencode(fields)
    timestamp = str(int(at if at is not None else time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    signed = {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature, **headers}
    return http.post(path, body, content_type="application/x-www-form-urlencoded", headers=signed)


def click(http, message, action, *, slack_id, value="", answer="", trigger="", **options):
    """Post a click on a button of a message, as it was posted. Slack gives each click a different trigger."""
    [block] = [block for block in message["blocks"] if block["type"] == "actions"]
    [element] = [element for element in block["elements"] if element["action_id"] == action]
    chosen = {"selected_option": {"value": value}} if value else {"value": element["value"]}
    pressed = {"type": element["type"], "action_id": action, "block_id": block["block_id"], **chosen}
    payload = {
        "type": "block_actions",
        "user": {"id": slack_id, "username": "someone", "team_id": "T1"},
        "team": {"id": "T1"},
        "trigger_id": trigger or uuid.uuid4().hex,
        "response_url": answer,
        "actions": [pressed],
    }
    return signed_post(http, "/hooks/slack/interactivity/", {"payload": json.dumps(payload)}, **options)
