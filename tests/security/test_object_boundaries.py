"""An object is reached only through its parent, and a request sets only the fields that it may.

The cases come from the permission matrix: a new route is covered as soon as it has a rule.
"""

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import resolve
from django.utils import timezone

from common.api.unknown_fields import described_fields
from people.models import ApiToken
from people.services.accounts import create_token, revoke_token
from pipelines.models import Pipeline
from readiness.services.readers import create_link
from scheduling.services.offboarding import deactivate
from scheduling.services.rotations import create_rotation
from tests.factories import make_engineer
from tests.security.permission_matrix import OPEN, RULES
from tests.validation.fixtures import make_check, make_metric

# Second words of paths that name no object, or one that every object of the first kind has.
INDEPENDENT = ("week", "year", "month")
# Permissions, and columns that only the site sets.
FORBIDDEN_FIELDS = {
    "is_staff": True,
    "is_superuser": True,
    "created_by": "engineer-b",
    "approved_by": "engineer-b",
    "pk": 1,
}
# Their bodies are other tools' formats, which have more fields than the site reads.
OTHER_TOOLS = "/api/v1/integrations/"


def path_words(key):
    path = key.partition(" #")[0].partition(" ")[2].partition("?")[0]
    return re.findall(r"\{(\w+)\}", path)


def nested():
    return [key for key in RULES if len(words := path_words(key)) > 1 and words[1] not in INDEPENDENT]


@pytest.fixture(scope="module")
def others(world):
    """Return another existing object for each kind that a path names first or last."""
    admin, at = world.people["admin"], timezone.now()
    pipeline = Pipeline.objects.get(slug=world.words["other_pipeline"])
    check = make_check(pipeline, admin, metric=make_metric(pipeline, "other"), parameters={"fail_below": 1}, at=at)
    return {
        "pipeline": pipeline.slug,
        "rotation": create_rotation(name="Other", engineers=[admin], by=admin, at=at).slug,
        "channel": world.words["rotation_channel"],
        "incident": world.words["resolved"],
        "check": check.pk,
        "readers_link": create_link(name="Other", pipelines=[pipeline], by=admin).secret,
        "delivery": world.words["rotation_delivery"],
        "rotation_delivery": world.words["delivery"],
    }


@pytest.mark.parametrize("key", nested())
def test_an_object_is_not_reached_through_another_parent(world, others, key):
    """As an admin, who may do everything, so that only the path is wrong."""
    method, _, path = key.partition(" #")[0].partition(" ")
    words = path_words(key)
    for word in {words[0], words[-1]} & set(others):
        answer, writes = world.call("admin", method, world.fill(path, **{word: others[word]}), RULES[key].body)
        if answer.status_code == 302:
            # The page says that the runbook no longer has this block.
            assert "/evidence/" in path
        else:
            assert answer.status_code == 404, word
        assert writes == []


def bodies():
    for key, rule in RULES.items():
        method, _, path = key.partition(" #")[0].partition(" ")
        if (
            path.startswith("/api/")
            and not path.startswith(OTHER_TOOLS)
            and method != "GET"
            and isinstance(rule.body, dict)
        ):
            yield key


@pytest.mark.parametrize("key", list(bodies()))
def test_a_call_sets_no_field_that_is_not_its_own(world, key):
    """Another field is refused, or ignored if it is one of the response: a client may send back what it read."""
    method, _, path = key.partition(" #")[0].partition(" ")
    path, actor = world.fill(path), next(actor for actor in ("admin", "owner") if actor in RULES[key].who)
    match = resolve(path)
    described = described_fields(match.route, match.func).get(method)
    unknown = (
        {} if described is None else {name: FORBIDDEN_FIELDS[name] for name in FORBIDDEN_FIELDS.keys() - described}
    )

    def call(fields):
        return world.call(actor, method, path, RULES[key].body | fields)[0]

    if unknown:
        answer = call(unknown)
        assert answer.status_code == 400
        assert answer.json().keys() >= unknown.keys()
    known = dict(FORBIDDEN_FIELDS.items() - unknown.items())
    answers = [(known, call(known))] if known else []
    if known and answers[0][1].status_code >= 400:
        # A refusal of one field says nothing about the others.
        answers = [({name: value}, call({name: value})) for name, value in known.items()]
    for fields, answer in answers:
        row = answer.json() if answer.content else None
        assert not isinstance(row, dict) or [name for name, one in fields.items() if row.get(name) == one] == []


def sample_rules():
    """Return a rule for signed-in callers of each part of the site, pages and API."""
    parts = {}
    for key, rule in RULES.items():
        if rule.who != OPEN:
            parts.setdefault("/".join(key.partition("/")[2].split("/")[:3]), key)
    return list(parts.values())


def test_deactivated_people_and_ended_tokens_have_no_access(world):
    """A deactivated person's session and token, a revoked token, and an expired one."""
    admin, at = world.people["admin"], timezone.now()
    leaver, owner = make_engineer("Leaver"), world.people["owner"]
    callers = {"revoked": create_token(owner, name="revoked"), "expired": create_token(owner, name="expired")}
    callers["leaver's token"] = create_token(leaver, name="left")
    clients = {name: Client(**bearer_header(new.secret)) for name, new in callers.items()}
    clients["leaver's session"] = Client()
    clients["leaver's session"].force_login(leaver)
    deactivate(leaver, by=admin, at=at)
    revoke_token(callers["revoked"].token, by=owner, at=at)
    ApiToken.objects.filter(pk=callers["expired"].token.pk).update(
        created_at=at - dt.timedelta(days=1), expires_at=at - dt.timedelta(seconds=1)
    )
    world.clients |= clients
    wrong = []
    for key in sample_rules():
        method, _, path = key.partition(" #")[0].partition(" ")
        # Pages do not read tokens, so one token stands for all.
        for name in clients if path.startswith("/api/") else ("leaver's session", "leaver's token"):
            answer, writes = world.call(name, method, world.fill(path), RULES[key].body)
            to = answer.headers.get("Location", "")
            if writes or not (answer.status_code == 401 or to.startswith(("/sign-in/", "/admin/login/"))):
                wrong.append((key, name, answer.status_code, to, writes[:1]))
    assert wrong == []


def bearer_header(secret):
    return {"headers": {"authorization": f"Bearer {secret}"}}
