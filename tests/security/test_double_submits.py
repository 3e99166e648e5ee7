"""A form that creates something, submitted twice, creates one."""

import html
import re
from pathlib import Path

import pytest

from calendar_feeds.models import FeedToken
from handoffs.models import ActionItem
from incidents.models import Incident, RunStep, TimelineEntry
from notifications.models import ContactMethod, Message
from people.models import ApiToken
from runbooks.models import RunbookRevision
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation, SwapRequest
from tests.security.permission_matrix import RULES
from validation.models import Check, KnownEvent, Metric

# On one worker of xdist, so that the rows are created once.
pytestmark = pytest.mark.xdist_group("double submits")

TEMPLATES = Path(__file__).parents[2] / "templates"
WITHOUT_KEY = {
    "account/reauthenticate.html",
    "admin/base_site.html",
    "admin/pipelines/ownership.html",
    "base.html",
    "mfa/authenticate.html",
    "mfa/recovery_codes/generate.html",
    "mfa/totp/activate_form.html",
    "mfa/totp/deactivate_form.html",
    "people/_unsent_form.html",
    "people/choose_password.html",
    "people/forgotten.html",
    "people/security.html",
    "people/sign_in.html",
    # Subscribing or confirming twice is the same as once, and readers have no session.
    "readiness/subscribe.html",
    "readiness/subscription_confirm.html",
}
KEY = "a-key-of-one-rendered-form"
SWAP = "/swaps/request/?rotation={rotation}&week={week}"
COVER = "/covers/request/?rotation={rotation}"
# Path: who submits it, what it creates, the page with the form, and its rule in the permission matrix if that has another name.
FORMS = {
    "/calendar/add/": ("owner", HolidayBlock, "/calendar/add/", ""),
    SWAP: ("owner", SwapRequest, SWAP, " #mine"),
    "/covers/request/?rotation={rotation}": ("owner", CoverRequest, "/covers/request/?rotation={rotation}", " #mine"),
    "/schedule/{rotation}/cover/": ("owner", Cover, "/schedule/{rotation}/cover/", ""),
    COVER: ("owner", CoverRequest, COVER, " #mine"),
    "/covers/requests/{cover_asked}/accept/": ("owner", Cover, "/covers/requests/{cover_asked}/", ""),
    "/schedule/new/": ("admin", Rotation, "/schedule/new/", ""),
    "/action-items/add/": ("owner", ActionItem, "/handoffs/", ""),
    "/incidents/open/": ("owner", Incident, "/incidents/open/", ""),
    "/incidents/{incident}/note/": ("owner", TimelineEntry, "/incidents/{incident}/", ""),
    "/incidents/{incident}/reassign/": ("owner", TimelineEntry, "/incidents/{incident}/", ""),
    "/incidents/{not_run}/run/": ("owner", RunStep, "/incidents/{not_run}/", ""),
    "/me/tokens/": ("owner", ApiToken, "/me/tokens/", ""),
    "/me/feeds/": ("owner", FeedToken, "/me/feeds/", ""),
    "/me/notifications/contact-methods/": ("stranger", ContactMethod, "/me/notifications/", ""),
    "/me/notifications/email/test/": ("stranger", Message, "/me/notifications/", None),
    "/me/notifications/push/{push_device}/test/": ("owner", Message, "/me/notifications/", ""),
    "/checks/new/?pipeline={pipeline}&check_type=range": (
        "owner",
        Check,
        "/checks/new/?pipeline={pipeline}&check_type=range",
        " #made",
    ),
    "/checks/metrics/new/": ("owner", Metric, "/checks/metrics/new/", ""),
    "/checks/{check}/events/": ("owner", KnownEvent, "/checks/{check}/", ""),
    "/runbooks/{other_pipeline}/begin/": ("owner", RunbookRevision, "/runbooks/{other_pipeline}/begin/", ""),
    "/admin/handoffs/actionitem/add/": ("admin", ActionItem, "/admin/handoffs/actionitem/add/", None),
}


def submit(client, world, path):
    """Submit the form with the body of its rule."""
    rule = FORMS[path][3]
    fields = RULES[f"POST {path}{rule}"].body if rule is not None else {"text": "To do", "rotation": "{rotation_pk}"}
    rotation_pk = Rotation.objects.get(slug=world.words["rotation"]).pk
    return client.post(world.fill(path), world.fill({**(fields or {}), "form_key": KEY}, rotation_pk=rotation_pk))


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.django_db
def test_a_form_submitted_twice_creates_one(world, path):
    actor, model, _, _ = FORMS[path]
    before = model.objects.count()
    first = submit(world.clients[actor], world, path)
    created = model.objects.count()
    second = submit(world.clients[actor], world, path)
    assert (first.status_code, second.status_code) == (302, 302)
    assert second.headers["Location"] == first.headers["Location"]
    assert created > before
    assert model.objects.count() == created


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.django_db
def test_the_form_has_a_new_key_on_each_page(world, path):
    actor, _, page, _ = FORMS[path]
    texts = [world.clients[actor].get(world.fill(page)).content.decode() for _ in range(2)]
    keys = [re.findall(r'name="form_key" value="([\w-]{20,})"', text) for text in texts]
    action = html.escape(world.fill(path))
    forms = re.findall(r"<form ([^>]*)>(.*?)</form>", texts[0], re.DOTALL)
    keyed = [attributes for attributes, content in forms if 'name="form_key"' in content]
    assert any(
        f'action="{action}"' in attributes or (page == path and "action=" not in attributes) for attributes in keyed
    )
    assert set(keys[0]).isdisjoint(keys[1])


@pytest.mark.django_db
def test_another_text_with_the_same_key_is_another_item(world):
    """As after “Back” in the browser, which shows the page with its old key."""
    for text in ("First", "Second"):
        fields = world.fill({"text": text, "rotation": "{rotation}", "form_key": KEY})
        world.clients["owner"].post("/action-items/add/", fields)
    assert set(ActionItem.objects.filter(text__in=("First", "Second")).values_list("text", flat=True)) == {
        "First",
        "Second",
    }


@pytest.mark.django_db
def test_the_secret_of_a_token_submitted_twice_is_shown_once(world):
    client = world.clients["owner"]
    for _ in range(2):
        submit(client, world, "/me/tokens/")
    shown = [re.findall(r"oncall_[\w-]{40,}", client.get("/me/tokens/").content.decode()) for _ in range(2)]
    assert [len(secrets) for secrets in shown] == [1, 0]


def test_every_form_has_a_key():
    """But for those that create nothing, and the unsent form, which repeats the key of the form itself."""
    without = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.html")
        if "{% csrf_token %}" in (text := path.read_text()) and "{% form_key %}" not in text
    }
    assert without == WITHOUT_KEY
