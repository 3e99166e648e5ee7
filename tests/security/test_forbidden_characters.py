"""Every text of every request: a character that `common.text` forbids is refused with an error that names the field, and changes nothing."""

import pytest

from tests.security.permission_matrix import OPEN, RULES
from tests.security.test_permission_matrix import split_key

pytestmark = pytest.mark.django_db

# Fields of several lines, in the API and on pages.
MULTILINE = {
    "comment",
    "text",
    "notes",
    "notes_0",
    "note",
    "description",
    "markdown",
    "query",
    "engineers",
    "exception",
}
# Nobody sees a password or a link's secret.
SECRET = {"password", "old_password", "new_password1", "new_password2", "secret"}
FIELD_LABELS = {"name": "Event: ", "starts_on": "First day: ", "ends_on": "Last day: "}
# Buttons, choices and codes of pages, which are compared with known values.
CHOICES = {"code", "side", "save", "confirm", "theme", "engineer", "move", "hours", "key"}
# Files of other tools are never refused for a character: an alert with a line break in its name still opens an incident.
NOT_SAVED = ("/api/v1/integrations/", "/handbook/", "/runbooks/{pipeline}/preview/")


def hostile_requests():
    """Yield the key of each rule, a text field of its body, and the body with a forbidden character in that field."""
    for key, rule in RULES.items():
        _, path = split_key(key)
        if not isinstance(rule.body, dict) or rule.who == OPEN or path.startswith(NOT_SAVED):
            continue
        for name, value in rule.body.items():
            if name.endswith("_at") or name == "until":
                # An instant, which is no text: Python 3.11 reads one up to a NUL.
                continue
            is_choice = name in CHOICES and not path.startswith("/api/")
            if isinstance(value, str) and name not in SECRET and not is_choice:
                for character in "\0\u202e" if name in MULTILINE else "\n\0\u202e":
                    text = f"{value}{character}b"
                    yield pytest.param(key, name, {**rule.body, name: text}, id=f"{key} {name} U+{ord(character):04X}")


@pytest.mark.parametrize(("key", "name", "body"), [*hostile_requests()])
def test_a_forbidden_character_is_refused(world, key, name, body):
    method, template = split_key(key)
    actor = next(actor for actor in ("owner", "admin") if actor in RULES[key].who)
    answer, writes = world.call(actor, method, world.fill(template), body)
    assert writes == []
    if template.startswith("/api/"):
        assert answer.status_code == 400
        assert list(answer.json()) == [name]
    else:
        assert answer.status_code == 400, answer.headers.get("Location")
