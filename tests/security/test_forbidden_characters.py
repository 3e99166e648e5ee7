"""Every text of every request: a character that `common.text` forbids is refused with an error that names the field, and changes nothing."""

import pytest

from tests.security.permission_matrix import OPEN, RULES
from tests.security.test_permission_matrix import split_key
from tests.thorough import THOROUGH

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("forbidden characters")]

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
# Buttons, choices and codes of pages, which are compared with known values.
CHOICES = {"code", "side", "save", "confirm", "theme", "engineer", "move", "hours", "key"}
# Files of other tools are never refused for a character: an alert with a line break in its name still opens an incident.
NOT_SAVED = ("/api/v1/integrations/", "/handbook/", "/runbooks/{pipeline}/preview/")


PARTS = 4


def text_fields():
    """Yield the key of each rule and a text field of its body."""
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
                yield key, name


def hostile_requests():
    """Return requests as rule key, text field and forbidden character: one character for each field, or all in `make faults`."""
    requests = []
    for number, (key, name) in enumerate(text_fields()):
        characters = "\0\u202e" if name in MULTILINE else "\n\0\u202e"
        requests += [(key, name, one) for one in (characters if THOROUGH else characters[number % len(characters)])]
    return requests


@pytest.mark.parametrize("part", range(PARTS))
def test_a_forbidden_character_is_refused(world, part):
    requests = hostile_requests()[part::PARTS]
    answers = {(key, name, character): answer_to(world, key, name, character) for key, name, character in requests}
    assert {request: answer for request, answer in answers.items() if answer != (400, [request[1]], [])} == {}


def answer_to(world, key, name, character):
    """Return the status of the answer, the fields that it names (a page names its own), and the writes."""
    body, (method, template) = RULES[key].body, split_key(key)
    actor = next(actor for actor in ("owner", "admin") if actor in RULES[key].who)
    hostile = {**body, name: f"{body[name]}{character}b"}
    answer, writes = world.call(actor, method, world.fill(template), hostile)
    is_page = not template.startswith("/api/")
    return answer.status_code, [name] if is_page else list(answer.json()), writes
