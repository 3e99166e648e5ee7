"""A form that creates something, submitted twice at the same moment, creates one. Apart from the rows that other tests share."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from people.models import SavedResponse
from tests.security.fixtures import World
from tests.security.test_double_submits import FORMS, submit

# Rows of a form that creates more than one: the steps of a runbook, an incident's text and its escalation.
CREATED = {"/incidents/{not_run}/run/": 2, "/incidents/{incident}/reassign/": 2}


@pytest.mark.django_db(transaction=True)
def test_forms_submitted_at_the_same_moment_create_one():
    world, wrong = World(), {}
    for path, (actor, model, _, _) in FORMS.items():
        before, start = model.objects.count(), Barrier(2)

        def send(_, path=path, actor=actor, start=start):
            client = Client()
            client.cookies = world.clients[actor].cookies
            start.wait(timeout=60)
            response = submit(client, world, path)
            connection.close()
            return response.status_code, response.headers.get("Location")

        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(send, range(2))
        created = model.objects.count() - before
        [saved] = SavedResponse.objects.all() or [None]
        SavedResponse.objects.all().delete()
        if not (first == second and first[0] == 302 and created >= 1 and saved):
            wrong[path] = (first, second, created)
        elif created != CREATED.get(path, 1):
            wrong[path] = created
    assert wrong == {}
