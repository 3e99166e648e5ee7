"""The named cast of every test: the handbook's Engineers A to D, an admin, an outsider."""

from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.make import make_engineer, make_pipeline

SEED = Path(__file__).parent.parent / "examples" / "handbook.md"


@pytest.fixture(autouse=True)
def _quick_passwords():
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def a(db):
    return make_engineer("Engineer A")


@pytest.fixture
def b(db):
    return make_engineer("Engineer B")


@pytest.fixture
def c(db):
    return make_engineer("Engineer C")


@pytest.fixture
def d(db):
    return make_engineer("Engineer D")


@pytest.fixture
def admin(db):
    return make_engineer("Admin", is_staff=True)


@pytest.fixture
def outsider(db):
    return make_engineer("Outsider")


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
