"""The named cast of every test: the handbook's Engineers A to D, an admin, an outsider."""

import os
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.test import Client

from people.models import User
from tests.databases import copied_database
from tests.factories import make_engineer, make_pipeline

# How long an example takes says how busy the machine is, not whether the rule holds. The same examples come each time, so that a
# change is not blamed for what an older one did; HYPOTHESIS_PROFILE=explore looks for new ones.
QUIET = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("site", derandomize=True, **QUIET)
hypothesis.settings.register_profile("explore", **QUIET)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "site"))

SEED = Path(__file__).parent.parent / "examples" / "handbook.md"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """Give each worker a copy of one migrated database."""
    with django_db_blocker.unblock(), copied_database():
        yield


@pytest.fixture(autouse=True)
def _quick():
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files are looked for when they are asked for, not all of them for each test's client.
    settings.WHITENOISE_AUTOREFRESH = True


def member(name, **fields):
    """Return the person of the cast, whom an imported handbook may have made already."""
    return User.objects.filter(display_name=name).first() or make_engineer(name, **fields)


@pytest.fixture
def a(db):
    return member("Engineer A")


@pytest.fixture
def b(db):
    return member("Engineer B")


@pytest.fixture
def c(db):
    return member("Engineer C")


@pytest.fixture
def d(db):
    return member("Engineer D")


@pytest.fixture
def admin(db):
    return member("Admin", is_staff=True)


@pytest.fixture
def outsider(db):
    return member("Outsider")


@pytest.fixture
def daily_growth(d, a):
    return make_pipeline("Daily growth (experiment-focused)", primary=d, secondary=a)


@pytest.fixture
def signed_in():
    """Return a function that gives a browser-like client in which the user is signed in."""

    def client_of(user):
        client = Client(enforce_csrf_checks=False)
        client.force_login(user)
        return client

    return client_of


@pytest.fixture
def seed():
    return SEED
