"""Fixtures for every test: the handbook's Engineers A to D, an admin and an outsider."""

import gc
import logging
import os
import threading
import time

import hypothesis
import pytest
from _pytest import runner
from django.conf import settings
from django.db import connection
from django.test import Client, TransactionTestCase

from common.call_stack import with_deep_stack
from common.db import CompiledQuery
from common.safe_http import Rules
from notifications.channels.push import channel
from notifications.services.push_devices import ensure_site_key
from people.models import User
from tests.clients import install
from tests.databases import copied_database, empty_tables
from tests.factories import SEED, make_engineer, make_pipeline
from tests.faults.web import web
from tests.notifications.channels.push.service import PushService
from tests.slow import is_left_out, is_slow
from tests.statements import leave_out_preparing
from tests.thorough import cases
from validation import warehouse_subprocess

# No deadlines: a slow example means a busy machine, not a broken rule. Examples are the same in every run, so that a failure
# belongs to the latest change; HYPOTHESIS_PROFILE=explore tries new ones.
NO_TIME_LIMITS = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("site", derandomize=True, max_examples=cases(100), **NO_TIME_LIMITS)
hypothesis.settings.register_profile("explore", **NO_TIME_LIMITS)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "site"))
install()
leave_out_preparing()
# For each test and its fixtures, and for the requests that the threads of a server in this process answer.
runner.runtestprotocol = with_deep_stack(runner.runtestprotocol)
threading.Thread.run = with_deep_stack(threading.Thread.run)


DAY_SECONDS, LAST_SECONDS = 86_400, 3
# A setup or teardown that takes less is not among the slowest, which `make test` lists.
SHOWN_SECONDS = 0.5
PEOPLE_QUERY = CompiledQuery(lambda: User.objects.values_list("pk", "display_name", "username"), placeholders=())
CAST = {"a", "b", "c", "d", "admin", "outsider", "daily_growth"}


def pytest_collection(session):
    """Turn garbage collection off while modules and tests are collected, because all of them stay."""
    if not session.config.pluginmanager.hasplugin("dsession"):  # the process that has workers collects nothing
        gc.disable()


def pytest_configure(config):
    config.pluginmanager.register(OrderForWorkers())


def pytest_ignore_collect(collection_path, config):
    """Do not import files whose tests the run leaves out."""
    return True if is_left_out(collection_path, config.getoption("markexpr")) else None


@pytest.hookimpl(tryfirst=True)  # before the tests of a mark are selected
def pytest_collection_modifyitems(config, items):
    """Mark slow tests, and let people be created after the example handbook, which is copied into an empty database only."""
    for item in items:
        item.fixturenames.sort(key=CAST.__contains__)
        if is_slow(item.path):
            item.add_marker("slow")


def pytest_runtest_setup():
    """Do not begin a test in the last seconds of a day: many read the clock twice and expect the same day."""
    left = DAY_SECONDS - time.time() % DAY_SECONDS
    if left < LAST_SECONDS:
        time.sleep(left)


class OrderForWorkers:
    """Orders the tests for several workers. pytest-django orders them too, so this hook comes after its."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config, items):
        if getattr(config.option, "loadgroup", False):
            items[:] = ordered_for_workers(items)


def ordered_for_workers(items):
    """Return the tests in an order that leaves no core idle.

    The tests of messages wait for processes most of the time and take longest, one after another, so they come first. The
    others keep the cores busy meanwhile: browser tests, then those of groups. The other tests that wait come in between
    the quick ones, and none at the end.
    """
    messages, browser, waiting, grouped, quick = [], [], [], [], []
    for item in items:
        group = item.get_closest_marker("xdist_group")
        if group and group.args[0] == "messages":
            messages.append(item)
        elif item.get_closest_marker("browser"):
            browser.append(item)
        elif item.get_closest_marker("faults"):
            waiting.append(item)
        else:
            (grouped if group else quick).append(item)
    # In the second to the eighth tenth of the quick tests.
    step = len(quick) * 0.6 / max(len(waiting), 1)
    places = [(len(quick) * 0.2 + step * number, item) for number, item in enumerate(waiting)]
    between = sorted([*enumerate(quick), *places], key=lambda one: one[0])
    return [*messages, *browser, *grouped, *(item for _, item in between)]


def pytest_sessionstart(session):
    """Let workers report less."""
    send_fewer_reports(session.config.pluginmanager)


def send_fewer_reports(plugins):
    """Let a worker of pytest-xdist send only what the main process shows: for most tests, the report of the call.

    A message takes half a millisecond to write and read, and each test had six.
    """
    for worker in [plugin for plugin in plugins.get_plugins() if type(plugin).__name__ == "WorkerInteractor"]:

        def send(name, *, send=worker.sendevent, **content):
            report = content.get("data", {}) if name == "testreport" else {}
            is_short = report.get("outcome") == "passed" and report["duration"] < SHOWN_SECONDS
            if name != "logstart" and (report.get("when") == "call" or not is_short):
                send(name, **content)

        worker.sendevent = send


def pytest_collection_finish(session):
    """Exclude modules and tests from garbage collection, and run it less often than by default.

    What is garbage by now stays: it is little, and finding it takes a third of a second.
    """
    check_groups(session)
    gc.freeze()
    gc.enable()
    gc.set_threshold(50_000, 50, 50)


def check_groups(session):
    """Fail if pytest-xdist does not keep the tests of a group in one worker: it groups by the end of their names."""
    if getattr(session.config.option, "loadgroup", False):
        groups = {item: mark.args[0] for item in session.items for mark in item.iter_markers("xdist_group")}
        apart = [item.nodeid for item, group in groups.items() if not item.nodeid.endswith(f"@{group}")]
        if apart:
            raise RuntimeError(f"This pytest-xdist does not group tests with this pytest, such as {apart[0]}.")


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker, django_db_modify_db_settings):
    """Give each worker a copy of one migrated database."""
    with django_db_blocker.unblock(), copied_database(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: empty_tables())
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: not connection.is_usable())
        yield


@pytest.fixture(scope="session")
def web_processes(django_db_setup):
    """Yield the address of real web processes. They start once for all tests of `xdist_group("web")`."""
    with web() as address:
        yield address


@pytest.fixture(scope="session", autouse=True)
def _fast_settings():
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Without this, every test client would scan all static files.
    settings.WHITENOISE_AUTOREFRESH = True
    # A process that queries warehouses ends after a minute without a query, and a new one costs a third of a second.
    warehouse_subprocess.IDLE_SECONDS = 1_800
    # pytest would keep the line of each request and send it to the process that reports.
    logging.getLogger("oncall_site.requests").setLevel("WARNING")


def member(name, **fields):
    """Return the user of this name, whom an imported handbook may have created already."""
    people = {display_name: (key, username) for key, display_name, username in PEOPLE_QUERY.fetch_all()}
    if name in people:
        return User.objects.get(pk=people[name][0])
    return make_engineer(name, taken={username for _, username in people.values()}, **fields)


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
    """Return a function that returns a client in which a user is signed in."""

    def client_for(user):
        client = Client(enforce_csrf_checks=False)
        client.force_login(user)
        return client

    return client_for


@pytest.fixture
def seed():
    return SEED


@pytest.fixture
def push_service(db, monkeypatch, settings):
    """A push service on this machine, and the key by which it knows the site."""
    ensure_site_key()
    service = PushService()
    settings.VAPID_CONTACT = "mailto:oncall@example.org"
    monkeypatch.setattr(channel, "push_rules", lambda: Rules(seconds=10, ports=None, permitted=lambda address: True))
    yield service
    service.close()
