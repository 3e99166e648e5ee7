"""Promise 15: hostile values in every parameter and body of the OpenAPI description."""

import json
import random
import re
import urllib.parse

import jsonschema

from common.api.description import openapi_description
from oncall_site.api.schema import ERRORS
from tests.security.permission_matrix import RULES

# Events are answered as PagerDuty answers them.
PAGERDUTY_ERROR = {
    "type": "object",
    "properties": {
        "status": {"type": "string"},
        "message": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["status", "message", "errors"],
    "additionalProperties": False,
}
DEEP = 2_000
STRINGS = [
    "", " ", "\0", "a\0b", "\u202egnp.exe", "\u2066\u2069", "\ud800", "a\udfff", "\ufeff", "\ufffe", "\r\n", "\x1b[31m", "\x7f",
    "x" * 300, "x" * 100_000, "é" * 5_000, "e\u0301" * 3_000, "\U0001f468\u200d\U0001f469" * 200, "ﷺ" * 500, "١٢٣", "²", "½",
    "-1", "0", "1", "-0", "+1", "1.5", "1e5", "1e400", "9" * 19, "9" * 400, "2147483648", "9223372036854775808", "0x10", "NaN", "Infinity",
    "null", "true", "[]", "{}", "../../etc/passwd", "%00", "%s%n", "'; DROP TABLE people_user; --", "{{ 7 * 7 }}", "${7*7}", "\\",
    "2026-02-30", "2026-13-01", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01", "-2026-01-01", "2026-W53-7", "26-1-1",
    "24:00", "23:59:60", "-01:00", "99:99", "10:00+99:00",
    "2026-11-23T10:00:00", "2026-11-23T10:00:00+25:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23T10:00:00Z\0",
    "UTC", "Europe/Nowhere", "../UTC", "engineer-a", "engineer-a\0", "ENGINEER-A", "nobody", "https://127.0.0.1/", "file:///etc/passwd",
]  # fmt: skip
OTHERS = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf"),
    [], {}, [None], [[]], [{}], [""], ["\0"], ["x"] * 600, list(range(2_000)), {"": ""}, {"\0": "\0"}, {"pk": 1}, {"id": [1]}, {"a": {"b": {"c": []}}},
]  # fmt: skip
BODIES = [
    b"", b"{", b"[]", b"null", b"0", b'"x"', b"\xff\xfe", b"\x00", b'{"a": 1, "a": 2}', b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP,
    b"NaN", b"1e999", b'{"\\ud800": "\\udfff"}', b"\xef\xbb\xbf{}", b"[1,]", b"{}" * 2,
]  # fmt: skip


def operations():
    """Return method, path, query parameters and body fields of every operation."""
    schema = openapi_description()
    actual = []
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            query = [one["name"] for one in call.get("parameters", []) if one["in"] == "query"]
            content = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            named = schema["components"]["schemas"].get(content.get("$ref", "").rpartition("/")[2], content)
            actual.append((method.upper(), path, query, sorted(named.get("properties", {}))))
    return actual


def template(schema, case):
    """Return the path of the description that a case's path matches; a fixed word goes before a parameter."""
    path = case.path.partition("?")[0]
    matching = [
        template
        for template, methods in schema["paths"].items()
        if case.method.lower() in methods and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path)
    ]
    return min(matching, key=lambda template: template.count("{"), default=case.template)


def undeclared(schema, case, answer):
    """Return what is wrong with an error response: a status that the description lacks, or a body of another shape."""
    if answer.status_code < 400 or answer.status_code >= 500:
        return ""
    declared = schema["paths"][template(schema, case)][case.method.lower()]["responses"]
    if str(answer.status_code) not in declared:
        return f"{answer.status_code} is not declared"
    allowed = list(ERRORS.values()) if answer.status_code == 400 else [ERRORS["Error"]]
    if case.path.startswith("/api/v1/integrations/events/"):
        allowed.append(PAGERDUTY_ERROR)
    try:
        jsonschema.validate(answer.json(), {"anyOf": allowed})
    except (ValueError, jsonschema.ValidationError):
        return f"{answer.status_code} with the body {answer.content[:200]!r}"
    return ""


def right_call(world, method, path):
    """Return a path and a body that succeed, from the rules; a sample path if no rule matches."""
    pattern = re.compile(re.sub(r"\\{\w+\\}", r"[^/]+", re.escape(path)) + r"(\?.*)?")
    for key, rule in RULES.items():
        there, _, template = key.partition(" #")[0].partition(" ")
        ruled = world.fill(template)
        if there == method and pattern.fullmatch(ruled):
            return ruled, world.fill(rule.body or {})
    return re.sub(r"\{\w+\}", "1", path), {}


class Case:
    """A valid call of an operation in which one part is replaced by a hostile value."""

    def __init__(self, world, chance, *, operation):
        self.method, path, query, fields = operation
        self.template = path
        self.path, right = right_call(world, self.method, path)
        self.body = json.dumps(right).encode()
        places = (
            ["path"] * ("{" in path) + ["query"] + ["field", "field", "body"] * (self.method not in ("GET", "DELETE"))
        )
        place = chance.choice(places)
        if place == "path":
            self._hostile_path(chance, path)
        elif place == "query":
            names = [*query, "page", "page_size", "at", "format", "x", "\0"]
            given = {name: chance.choice(STRINGS) for name in chance.sample(names, k=min(2, len(names)))}
            self.path = f"{self.path.partition('?')[0]}?{urllib.parse.urlencode(given, errors='replace')}"
        elif place == "field":
            rows = right if isinstance(right, list) else [right]
            names = [*fields, *rows[0], "id", "engineer", "\0"]
            rows[0] = {**rows[0], chance.choice(names): self._value(chance)}
            self.body = json.dumps(rows if isinstance(right, list) else rows[0]).encode()
        else:
            self.body = chance.choice(BODIES)

    def _hostile_path(self, chance, path):
        """Replace a parameter of the path."""
        base = self.path.partition("?")[0].split("/")
        words = [place for place, word in enumerate(path.split("/")) if word.startswith("{")]
        base[chance.choice(words)] = urllib.parse.quote(
            chance.choice(STRINGS).encode(errors="replace")[:2_000], safe=""
        )
        self.path = "/".join(base)

    def _value(self, chance):
        value = chance.choice(STRINGS + OTHERS)
        return [value] if chance.random() < 0.1 else {"a": value} if chance.random() < 0.05 else value


def check_fuzz(world, *, cases, seed):
    """Make hostile calls as an admin and as an engineer: none may be a server error or undeclared."""
    chance = random.Random(seed)
    known, seen, wrong = operations(), {}, []
    schema = openapi_description()
    for client in world.clients.values():
        client.raise_request_exception = False
    for number in range(cases):
        case = Case(world, chance, operation=known[number % len(known)])
        actor = chance.choice(("admin", "admin's token", "token"))
        answer, _ = world.call(actor, case.method, case.path, raw=case.body)
        seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
        problem = undeclared(schema, case, answer)
        if problem:
            wrong.append(f"{problem}: {actor} {case.method} {case.path[:300]} {case.body[:300]!r}")
        if answer.status_code >= 500:
            wrong.append(
                f"{answer.status_code} {actor} {case.method} {case.path[:300]} {case.body[:300]!r}: {answer.exc_info and answer.exc_info[1]!r}"
            )
    assert wrong == [], f"seed {seed}:\n" + "\n".join(sorted(wrong))
    # If no call succeeded, the views themselves would not have been tested.
    assert sum(number for status, number in seen.items() if status < 300) > cases / 20, seen
    return seen
