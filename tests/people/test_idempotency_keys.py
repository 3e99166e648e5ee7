"""Idempotency keys of the API: a request that is sent again has no further effect and gets the same response."""

import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from calendar_feeds.models import FeedToken
from common.api.description import openapi_description
from handoffs.models import ActionItem
from people.models import ApiToken, SavedResponse
from people.services.accounts import create_token, revoke_token
from people.services.saved_responses import RESPONSE_LIFETIME
from people.tasks import purge_responses
from scheduling.models import HolidayBlock
from scheduling.services.rotations import RotationText, import_rotation
from tests.factories import make_engineer
from tests.security.test_nothing_kept import dump

ABSENCE = {"starts_on": "2027-03-01", "ends_on": "2027-03-05", "kind": "holiday", "note": "a private note"}
KEY = "7b1d3f6e-3f6a-4d53-9d56-0c8a5e0a0d11"


@pytest.fixture
def token(a):
    return create_token(a, name="script").secret


@pytest.fixture
def rotation(db):
    return import_rotation(RotationText("Weekly", "", "Policy", "", ()), time_zone="UTC")


def post(secret, path, body, *, key=KEY, **options):
    client = Client(
        headers={"authorization": f"Bearer {secret}", **({"idempotency-key": key} if key else {})}, **options
    )
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def replayed(response):
    return response.headers.get("Idempotency-Replayed")


def test_the_same_request_again_gets_the_same_response(token, a):
    first, second = (post(token, "holidays/", ABSENCE) for _ in range(2))
    assert (first.status_code, replayed(first)) == (201, None)
    assert (second.status_code, replayed(second)) == (201, "true")
    assert second.json() == first.json()
    assert second.headers["Content-Type"] == first.headers["Content-Type"]
    assert list(HolidayBlock.objects.values_list("engineer", "note")) == [(a.pk, "a private note")]


def test_another_request_with_the_same_key_is_refused(token):
    post(token, "holidays/", ABSENCE)
    for path, body in (("holidays/", {**ABSENCE, "kind": "sick"}), ("holidays/preview/", ABSENCE)):
        answer = post(token, path, body)
        assert answer.status_code == 422
        reason = "This idempotency key was used for another request. Use a new key for each request."
        assert answer.json() == {"detail": reason}
    assert HolidayBlock.objects.count() == 1


def test_without_a_key_the_same_absence_is_a_conflict_that_names_the_existing_one(token):
    first, second = (post(token, "holidays/", ABSENCE, key=None) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 409)
    assert second.json() == {"detail": "This time off is already in the calendar.", "id": first.json()["id"]}
    assert HolidayBlock.objects.count() == 1
    assert post(token, "holidays/", {**ABSENCE, "kind": "sick"}, key=None).status_code == 201


def test_a_refused_request_leaves_the_key_free(token):
    assert post(token, "holidays/", {**ABSENCE, "ends_on": "2027-02-01"}).status_code == 400
    assert post(token, "holidays/", ABSENCE).status_code == 201


def test_a_server_error_changes_nothing_and_leaves_the_key_free(token, rotation, monkeypatch):
    real = ActionItem.save

    def save_and_fail(item, *args, **kwargs):
        real(item, *args, **kwargs)
        raise RuntimeError("after the row was written")

    monkeypatch.setattr(ActionItem, "save", save_and_fail)
    assert post(token, "action-items/", {"text": "To do"}, raise_request_exception=False).status_code == 500
    assert (ActionItem.objects.count(), SavedResponse.objects.count()) == (0, 0)
    monkeypatch.undo()
    assert post(token, "action-items/", {"text": "To do"}).status_code == 201


def test_keys_belong_to_a_token(token, rotation, a, b):
    others = [create_token(user, name="other").secret for user in (a, b)]
    answers = [post(secret, "action-items/", {"text": "To do"}) for secret in (token, *others)]
    assert [(answer.status_code, replayed(answer)) for answer in answers] == [(201, None)] * 3
    assert ActionItem.objects.count() == 3


def test_a_session_has_keys_too(signed_in, rotation, a):
    answers = [
        signed_in(a).post(
            "/api/v1/action-items/",
            {"text": "To do"},
            content_type="application/json",
            headers={"idempotency-key": KEY},
        )
        for _ in range(2)
    ]
    assert [replayed(answer) for answer in answers] == [None, "true"]


def test_a_revoked_token_gets_no_saved_response(token, a):
    post(token, "holidays/", ABSENCE)
    revoke_token(ApiToken.objects.get(), by=a, at=timezone.now())
    assert post(token, "holidays/", ABSENCE).status_code == 401


def test_a_key_is_free_again_after_a_day(token, rotation):
    post(token, "action-items/", {"text": "To do"})
    SavedResponse.objects.update(created_at=timezone.now() - RESPONSE_LIFETIME)
    assert replayed(post(token, "action-items/", {"text": "To do"})) is None
    assert ActionItem.objects.count() == 2


def test_old_responses_are_purged(token, rotation):
    for number in range(3):
        post(token, "action-items/", {"text": "To do"}, key=f"key-{number}")
    SavedResponse.objects.filter(key="key-1").update(
        created_at=timezone.now() - RESPONSE_LIFETIME - dt.timedelta(seconds=1)
    )
    purge_responses()
    assert list(SavedResponse.objects.order_by("key").values_list("key", flat=True)) == ["key-0", "key-2"]


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é", "a\tb"])
def test_an_invalid_key_is_refused(token, key):
    client = Client(headers={"authorization": f"Bearer {token}"})
    answer = client.post(
        "/api/v1/holidays/", json.dumps(ABSENCE), content_type="application/json", HTTP_IDEMPOTENCY_KEY=key
    )
    assert answer.status_code == 400
    assert answer.json() == {"Idempotency-Key": ["Use 1 to 255 visible ASCII characters."]}
    assert not HolidayBlock.objects.exists()


def test_a_new_feed_has_the_same_address_again_and_no_dump_contains_it(token):
    first, second = (post(token, "feeds/", {}) for _ in range(2))
    assert (first.json(), FeedToken.objects.count()) == (second.json(), 1)
    secret = first.json()["url"].rpartition("/")[2].removesuffix(".ics")
    assert len(secret) > 40
    assert secret not in dump()


def test_a_response_that_cannot_be_decrypted_is_a_conflict(token, settings):
    post(token, "feeds/", {})
    settings.FIELD_KEYS = ["another key"]
    answer = post(token, "feeds/", {})
    assert answer.status_code == 409
    assert answer.json() == {"detail": "This request was already processed, but its response can no longer be read."}
    assert FeedToken.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_requests_at_the_same_moment_one_does_the_work():
    a = make_engineer("Engineer A")
    secret, start = create_token(a, name="script").secret, Barrier(4)

    def send(_):
        start.wait(timeout=60)
        answer = post(secret, "holidays/", ABSENCE)
        connection.close()
        return answer

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, range(4)))
    assert [answer.status_code for answer in answers] == [201] * 4
    assert sorted(str(replayed(answer)) for answer in answers) == ["None", "true", "true", "true"]
    assert len({answer.content for answer in answers}) == 1
    assert HolidayBlock.objects.count() == 1


def test_every_post_of_the_description_takes_a_key():
    operations = [
        (path, operation)
        for path, methods in openapi_description()["paths"].items()
        for operation in [methods.get("post")]
    ]
    missing = [
        path
        for path, operation in operations
        if operation
        and not (
            any(one["name"] == "Idempotency-Key" and one["in"] == "header" for one in operation.get("parameters", []))
            and "422" in operation["responses"]
        )
    ]
    assert missing == []
    assert len([path for path, operation in operations if operation]) > 30
