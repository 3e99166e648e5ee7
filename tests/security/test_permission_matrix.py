"""Promise 16: every method of every route, for every role and whose object: as in tests/security/permission_matrix.py. A route without a rule fails."""

import random
import re

import pytest
from django.test import RequestFactory
from django.urls import URLPattern, get_resolver, resolve

from people.middleware import object_page
from people.models import ApiToken
from tests.each import rollback
from tests.oncall_site.test_query_counts import PAGES
from tests.security.fixtures import HOLDERS
from tests.security.permission_matrix import NOTE, OPEN, RULES
from tests.thorough import THOROUGH

# On one worker of xdist, so that the rows are created once.
pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("permissions")]

PARTS = 16
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
IN_SESSION = ("anonymous", "owner", "stranger", "admin")
TOKENS = (*HOLDERS, "feed address")
ACTORS = (*IN_SESSION, *TOKENS)
# Pairs of callers the API refuses for the same reason. A token has its holder's rights if its scope allows the method.
ALIKE = (
    ("owner", "token"),
    ("stranger", "stranger's token"),
    ("admin", "admin's token"),
    ("read-only token", "admin's read-only token"),
)
# Texts of the owner that only they and admins may read.
PRIVATE_TEXTS = (NOTE, "a message to oneself")
TO_SIGN_IN = ("/sign-in/", "/admin/login/")


def split_key(key):
    method, _, path = key.partition(" #")[0].partition(" ")
    return method, path


def is_page(path):
    return path != "/metrics" and (not path.startswith("/api/") or path == "/api/v1/docs/")


def may(actor, rule, *, method, path):
    """Return True if the rules allow the call."""
    if rule.key_in_body:
        return True
    if actor in HOLDERS and not is_page(path):
        holder, scope = HOLDERS[actor]
        # An admin's token has an engineer's rights unless it was created as an admin token.
        role = "stranger" if holder == "admin" and scope != ApiToken.Scope.ADMIN else holder
        return role in rule.who and (method == "GET" or scope != ApiToken.Scope.READ)
    return actor in rule.who or (rule.who == OPEN and is_page(path))


@pytest.mark.parametrize("part", range(PARTS))
def test_each_role_is_allowed_or_denied(world, part):
    wrong = {key: problems for key in list(RULES)[part::PARTS] if (problems := problems_with(world, key))}
    assert wrong == {}


def callers(key, rule):
    """Return the callers to test for a rule: all in `make faults`.

    Of the callers who are refused, the suite tests one for each reason. Of those who are allowed, it tests strangers
    who read, because they could see too much, and one other caller, if strangers read only on every second route. Pages do not read tokens, and the API does not read
    feed addresses: where anonymous callers are refused, the suite tries one such caller on every fourth route.
    """
    if THOROUGH:
        return ACTORS
    method, path = split_key(key)
    draw = random.Random(key)
    actors = (*IN_SESSION, draw.choice(TOKENS)) if is_page(path) else ACTORS
    allowed = [actor for actor in actors if may(actor, rule, method=method, path=path)]
    chosen = {actor for actor in allowed if actor == "stranger" and method == "GET"}
    others = [actor for actor in allowed if actor not in chosen]
    chosen |= {draw.choice(others)} if others and not (chosen and draw.randrange(2)) else set()
    refused = {actor for actor in actors if actor not in allowed}
    for alike in () if is_page(path) else ALIKE:
        refused -= {draw.choice(alike)} if refused.issuperset(alike) else set()
    if "anonymous" in refused and draw.randrange(4):
        refused -= set(TOKENS) if is_page(path) else {"feed address"}
    return [actor for actor in actors if actor in refused | chosen]


def problems_with(world, key):
    """Return the wrong answers to the actors, in words."""
    rule, (method, template) = RULES[key], split_key(key)
    path = world.fill(template)
    wrong = []
    for actor in callers(key, rule):
        answer, writes = world.call(actor, method, path, rule.body)
        summary = f"{actor}: {answer.status_code} {answer.headers.get('Location', '')}"
        if may(actor, rule, method=method, path=path):
            ok = was_answered(answer, rule, signing=path.startswith(SIGNING))
        else:
            ok = was_refused(answer, rule, known=is_known(actor, path)) and writes == []
        ok = ok and keeps_private(answer, actor) and keeps_secrets(world, answer, path)
        wrong += [] if ok else [f"{summary} {answer.content[:200]} {writes[:1]}"]
    return wrong


def is_known(actor, path):
    """Return True if the caller is authenticated, so that a refusal is a 403 and not a sign-in page."""
    return actor in ("owner", "stranger", "admin") or (actor in HOLDERS and not is_page(path))


def was_answered(answer, rule, *, signing):
    if answer.headers.get("Location", "").startswith(TO_SIGN_IN) and not signing:
        return False
    return answer.status_code == rule.gives if rule.gives else answer.status_code < 400


def was_refused(answer, rule, *, known):
    if known:
        return answer.status_code == 403 or (rule.hidden and answer.status_code == 404)
    return answer.status_code == 401 or answer.headers.get("Location", "").startswith(TO_SIGN_IN)


def keeps_private(answer, actor):
    """Return True if the response shows the owner's private texts to the owner and admins at most, whatever route it is."""
    holder, scope = HOLDERS.get(actor, (actor, ApiToken.Scope.ADMIN))
    # An admin's token reads as an engineer unless it was created as an admin token.
    may_read = holder == "owner" or (holder == "admin" and scope == ApiToken.Scope.ADMIN)
    return may_read or not any(text.encode() in answer.content for text in PRIVATE_TEXTS)


def keeps_secrets(world, answer, path):
    """Return True if the response shows no secret of the owner, not even to the owner: they were shown once."""
    secrets = ["ntfy.sh/owned", "nowhere.sqlite"]
    # The forms that repeat what was typed, and the feed itself.
    secrets += (
        []
        if path.startswith(("/feeds/", "/me/calendar-link/", "/api/v1/calendar-link/"))
        else [world.words["feed"], "mine.ics"]
    )
    return not any(secret.encode() in answer.content for secret in secrets)


def test_private_text_is_visible_to_its_owner_only(world):
    for key in [key for key, rule in RULES.items() if rule.private and "/api/" in key]:
        method, template = split_key(key)
        for actor in ("owner", "admin", "token"):
            answer, _ = world.call(actor, method, world.fill(template))
            assert RULES[key].private in answer.content.decode(), (key, actor)


def routes(patterns=None, prefix=""):
    """Yield every route of the site but Django's admin, as `resolve` names it."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern).removeprefix("^" if prefix else "")
        if route.startswith("admin/"):
            continue
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern.url_patterns, route)


SAMPLES = {"pk": "1", "slug": "x", "username": "x", "number": "1", "day": "2026-11-23", "year": "2026", "month": "11"}
# Of a path on the way in, an answer may well be the sign-in page.
SIGNING = ("/sign-in/", "/sign-out/", "/password/", "/me/second-factor/")


def sample(route):
    """Return a path of a route that has no rule yet."""
    route = re.sub(r"[\^$]", "", route)
    route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda found: SAMPLES.get(found[1], "x"), route)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: SAMPLES.get(found[1], "x"), route)


def lacks_method(world, method, path):
    """Return True if the view itself, without middleware, answers an admin with a 405."""
    request = RequestFactory().generic(method, path)
    request.user, request.session, request._dont_enforce_csrf_checks = world.people["admin"], {}, True
    view, arguments, words = resolve(path.partition("?")[0])
    with rollback():
        try:
            return view(request, *arguments, **words).status_code == 405
        except Exception:  # noqa: BLE001  # a view that has the method may need the middleware
            return False


def test_every_route_has_a_rule_and_every_rule_a_route(world):
    ruled = {}
    for key in RULES:
        method, template = split_key(key)
        path = world.fill(template).partition("?")[0]
        ruled.setdefault(resolve(path).route, (path, set()))[1].add(method)
    missing = []
    for route in routes():
        path, methods = ruled.get(route, (sample(route), set()))
        # A rule for a method that the route does not have fails above.
        for method in [method for method in METHODS if method not in methods]:
            if lacks_method(world, method, path):
                continue
            answer, _ = world.call("admin", method, path)
            leads_up = method == "GET" and answer.headers.get("Location") == object_page(path)
            if answer.status_code != 405 and not leads_up:
                missing.append(
                    f'No rule for {method} {route}: add `"{method} {path}": Rule(WHO, {{body}}),` to tests/security/permission_matrix.py,'
                    " with WHO as in docs/rules.md"
                )
    assert missing == [], "\n" + "\n".join(missing)


# Django's admin: admins, and nobody else.


def admin_routes():
    for pattern in get_resolver().url_patterns:
        if str(pattern.pattern) == "admin/":
            return [one for one in walked(pattern.url_patterns, "admin/") if "login" not in one]
    raise AssertionError("the admin is not there")


def walked(patterns, prefix):
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern)
        else:
            yield from walked(pattern.url_patterns, prefix + str(pattern.pattern))


def admin_path(route):
    route = re.sub(r"\(\?P<app_label>(\w+).*?\)", r"\1", re.sub(r"[\^$]", "", route))
    route = re.sub(r"\(\?P<\w+>.*?\)", "x", route)
    return "/" + re.sub(r"<(?:\w+:)?\w+>", "1", route)


OTHERS = ("anonymous", "owner", "stranger", "token", "admin's token", "feed address")


def intruders(path):
    """Return callers and methods to try on a page of Django's admin: all in `make faults`.

    The suite tries a stranger with one method, and on every third page another caller. Few are enough, because the same
    wrapper guards all of these pages.
    """
    if THOROUGH:
        return [(actor, method) for actor in OTHERS for method in ("GET", "POST")]
    draw = random.Random(path)
    other = (draw.choice(OTHERS), draw.choice(("GET", "POST")))
    return [("stranger", draw.choice(("GET", "POST"))), *([other] if draw.randrange(3) == 0 else [])]


def test_the_django_admin_requires_an_admin(world):
    paths = sorted({admin_path(route) for route in admin_routes()} - {"/admin/logout/"})
    assert "/admin/people/user/1/password/" in paths
    for path in paths:
        for actor, method in intruders(path):
            answer, writes = world.call(actor, method, path)
            assert writes == [], (actor, method, path)
            asked = answer.headers.get("Location", "").startswith(TO_SIGN_IN)
            assert asked or answer.status_code in (403, 404), (actor, method, path, answer.status_code)
    # tests/oncall_site/test_admin_words.py opens the pages that add a row. No row has the key 1.
    left_out = ("/add/", "/1/change/", "/1/delete/", "/1/history/")
    # tests/oncall_site/test_query_counts.py opens some lists, with rows.
    pages = [path for path in paths if THOROUGH or not (path.endswith(left_out) or path in PAGES)]
    seen = {path: world.call("admin", "GET", path)[0].status_code for path in pages}
    assert all(status < 500 for status in seen.values()), seen
    lists = [path for path in pages if re.fullmatch(r"/admin/[a-z]+/[a-z]+/", path)]
    assert len(lists) > 10
    assert {seen[path] for path in lists} == {200}, seen
