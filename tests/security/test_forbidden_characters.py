"""Every text of every request: a character that `common.text` forbids is refused with an error that names the field, and changes nothing."""

import pytest

from tests.security.permission_matrix import OPEN, RULES
from tests.security.test_permission_matrix import parted

pytestmark = pytest.mark.django_db

# Fields of several lines, in the API and on pages.
MULTILINE = {"text", "notes", "notes_0", "note", "description", "markdown", "query", "engineers", "exception"}
# Nobody sees a password or a link's secret.
SECRET = {"password", "old_password", "new_password1", "new_password2", "secret"}
# Files of other tools are never refused for a character: an alert with a line break in its name still opens an incident.
OTHER_TOOLS = ("/api/v1/integrations/", "/handbook/")


def hostile_requests():
    """Yield the key of each rule, a text field of its body, and the body with a forbidden character in that field."""
    for key, rule in RULES.items():
        method, path = parted(key)
        if not isinstance(rule.body, dict) or rule.who == OPEN or path.startswith(OTHER_TOOLS):
            continue
        for name, value in rule.body.items():
            if isinstance(value, str) and name not in SECRET:
                for character in "\0\u202e" if name in MULTILINE else "\n\0\u202e":
                    text = f"{value}{character}b"
                    yield pytest.param(key, name, {**rule.body, name: text}, id=f"{key} {name} U+{ord(character):04X}")


@pytest.mark.parametrize(("key", "name", "body"), [*hostile_requests()])
def test_a_forbidden_character_is_refused(world, key, name, body):
    method, template = parted(key)
    actor = next(actor for actor in ("owner", "admin") if actor in RULES[key].who)
    answer, writes = world.call(actor, method, world.said(template), body)
    assert writes == []
    if template.startswith("/api/"):
        assert answer.status_code == 400
        assert list(answer.json()) == [name]
    else:
        assert answer.status_code == 400, answer.headers.get("Location")
