"""/metrics and the system page of the admin."""

import contextlib
import datetime as dt

import pytest
from django.db import OperationalError, connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from notifications.models import Message
from oncall_site import celery_hooks, queries, services
from oncall_site.celery import PARALLEL_SWEEPS
from oncall_site.celery import app as celery_app
from oncall_site.models import Sweep
from oncall_site.views.system import TASK_LABELS
from tests.factories import bearer
from tests.waiting import PATIENCE_SECONDS, wait_until

HOUR = dt.timedelta(hours=1)


def message(person, key, **fields):
    at = timezone.now()
    defaults = {"type": "test", "dedup_key": key, "subject": f"Subject {key}", "text": "Text"}
    return Message.objects.create(
        recipient=person, **defaults, **{"due_at": at - HOUR, "expires_at": at + HOUR, **fields}
    )


def samples(answer):
    """Return every sample of a response by its name and labels."""
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_metrics_need_an_admin_or_the_metrics_token(client, signed_in, a, admin):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics").headers["WWW-Authenticate"].startswith("Bearer")
    assert signed_in(a).get("/metrics").status_code == 403
    assert client.get("/metrics", **bearer(a)).status_code == 403
    assert client.get("/metrics", headers={"authorization": "Bearer nothing"}).status_code == 401
    assert client.get("/metrics", headers={"authorization": "Bearer "}).status_code == 401
    assert client.get("/metrics", **bearer(admin)).status_code == 200
    assert signed_in(admin).get("/metrics").status_code == 200
    with override_settings(METRICS_TOKEN="a-scrapers"):
        assert client.get("/metrics", headers={"authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/metrics", headers={"authorization": "Bearer a-scrapers"}).status_code == 200


def test_metrics_include_the_outbox(signed_in, a, admin):
    at = timezone.now()
    message(a, "due")
    message(a, "later", due_at=at + HOUR / 2)
    message(a, "failed", state="failed")
    message(a, "sent", state="sent", due_at=at, created_at=at, sent_at=at + dt.timedelta(seconds=4))
    message(a, "long ago", state="sent", due_at=at - 9 * HOUR, sent_at=at - 2 * HOUR)
    values = samples(signed_in(admin).get("/metrics"))
    assert values["oncall_messages", ("state", "waiting")] == 2
    assert values["oncall_messages", ("state", "due")] == 1
    assert values["oncall_messages", ("state", "failed")] == 1
    assert 3600 <= values["oncall_message_lag_seconds",] < 3700
    assert values["oncall_message_lateness_seconds", ("quantile", "1")] == pytest.approx(4, abs=0.1)


def test_metrics_include_sweeps_and_heartbeats(signed_in, admin):
    services.record_sweep("one.sweep", worker="celery@one", seconds=0.5)
    services.record_sweep("one.sweep", worker="celery@two", seconds=1.5, error="OSError")
    services.record_beat()
    values = samples(signed_in(admin).get("/metrics"))
    sweep = ("sweep", "one.sweep")
    assert values["oncall_sweep_last_seconds", sweep] == 1.5
    assert values["oncall_sweep_seconds_total", sweep] == 2.0
    assert values["oncall_sweep_runs_total", sweep] == 2
    assert values["oncall_sweep_failures_total", sweep] == 1
    assert values["oncall_heartbeat_age_seconds", ("part", "beat")] < 5
    assert values["oncall_database_bytes",] > 1_000_000


def test_metrics_count_requests_by_view_never_by_path(client, signed_in, admin, daily_growth):
    browser = signed_in(admin)
    labels = (("method", "GET"), ("status", "200"), ("view", "pipeline"))
    before = samples(browser.get("/metrics")).get(("oncall_http_requests_total", *labels), 0)
    browser.get(f"/pipelines/{daily_growth.slug}/")
    client.get("/no/such/page")
    answer = browser.get("/metrics")
    assert samples(answer)["oncall_http_requests_total", *labels] == before + 1
    assert daily_growth.slug not in answer.content.decode()


def test_a_worker_with_threads_ends_when_a_task_takes_too_long(monkeypatch):
    ended = []
    monkeypatch.setattr(celery_hooks, "_end_worker", lambda task, seconds: ended.append(task))
    with celery_hooks._hard_limit("processes have Celery's", seconds=0):
        pass
    celery_hooks.limit_threads()
    try:
        with celery_hooks._hard_limit("quick", seconds=PATIENCE_SECONDS):
            pass
        with celery_hooks._hard_limit("hung", seconds=0):
            wait_until(lambda: ended)
    finally:
        celery_hooks._is_threaded.clear()
    assert ended == ["hung"]


def run_in_a_worker(task):
    task.push_request(called_directly=False, hostname="celery@one")
    try:
        return task()
    finally:
        task.pop_request()


def test_a_task_is_recorded_if_a_worker_runs_it_but_not_if_it_is_called(db):
    @celery_app.task(name="failing")
    def task():
        raise ValueError("secret text")

    with pytest.raises(ValueError, match="secret"):
        task()
    assert not Sweep.objects.exists()
    with pytest.raises(ValueError, match="secret"):
        run_in_a_worker(task)
    row = Sweep.objects.get()
    assert (row.task, row.worker, row.failures, row.error) == ("failing", "celery@one", 1, "ValueError")


@pytest.fixture
def other_session(db):
    other = connection.copy()
    yield other
    other.close()


def test_a_long_sweep_runs_in_one_worker_at_a_time(other_session, monkeypatch):
    monkeypatch.setattr(celery_app.conf, "exclusive_sweeps", {"exclusive"})

    @celery_app.task(name="exclusive")
    def sweep():
        return "ran"

    lock = "SELECT pg_try_advisory_lock(hashtext('exclusive'))"
    unlock = "SELECT pg_advisory_unlock(hashtext('exclusive'))"
    with other_session.cursor() as other:
        other.execute(lock)
        assert run_in_a_worker(sweep) is None
        assert not Sweep.objects.exists()
        other.execute(unlock)
        assert run_in_a_worker(sweep) == "ran"
        assert Sweep.objects.get().runs == 1
        # The lock was released after the run.
        other.execute(lock)
        assert other.fetchone() == (True,)


def test_an_exclusive_sweep_that_fails_releases_its_lock(other_session, monkeypatch):
    monkeypatch.setattr(celery_app.conf, "exclusive_sweeps", {"exclusive and failing"})

    @celery_app.task(name="exclusive and failing")
    def sweep():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_a_worker(sweep)
    with other_session.cursor() as other:
        other.execute("SELECT pg_try_advisory_lock(hashtext('exclusive and failing'))")
        assert other.fetchone() == (True,)


@pytest.mark.django_db(transaction=True)
def test_an_exclusive_sweep_that_loses_its_connection_leaves_no_lock(monkeypatch):
    monkeypatch.setattr(celery_app.conf, "exclusive_sweeps", {"exclusive and alone"})

    @celery_app.task(name="exclusive and alone")
    def sweep():
        with connection.cursor() as cursor, contextlib.suppress(OperationalError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return "ran"

    assert [run_in_a_worker(sweep) for _ in range(2)] == ["ran", "ran"]
    connection.close()


def test_every_sweep_is_exclusive_or_known_to_run_in_parallel():
    sweeps = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}
    assert sweeps > PARALLEL_SWEEPS
    assert celery_app.conf.exclusive_sweeps == sweeps - PARALLEL_SWEEPS


def test_the_system_page_shows_problems(signed_in, a, admin):
    message(a, "failed", state="failed", problem="550 no such person")
    services.record_heartbeat(worker="celery@one")
    services.record_sweep("one.sweep", worker="celery@one", seconds=0.5)
    text = signed_in(admin).get("/admin/system/").content.decode()
    for shown in ("celery@one", "one.sweep", "Subject failed", "550 no such person", "no heartbeat yet", "PostgreSQL"):
        assert shown in text
    assert "/admin/system/" in signed_in(admin).get("/admin/").content.decode()


def test_the_system_page_has_a_label_for_every_job(signed_in, admin):
    celery_app.loader.import_default_modules()
    ours = {name for name in celery_app.tasks if ".tasks." in name}
    assert set(TASK_LABELS) == ours
    services.record_sweep("validation.tasks.sweep_checks", worker="celery@one", seconds=0.5)
    text = signed_in(admin).get("/admin/system/").content.decode()
    assert "Find due checks" in text
    assert "sweep_checks" not in text


def test_the_system_page_of_a_new_site_has_a_hint(signed_in, admin):
    text = signed_in(admin).get("/admin/system/").content.decode()
    assert "No worker or beat has run yet" in text
    assert "No jobs have run yet" in text


def test_admins_see_which_providers_are_not_set_up(signed_in, a, admin, daily_growth, settings):
    settings.EMAIL_HOST, settings.HTTPS, settings.VAPID_CONTACT = "mail.example.org", True, "mailto:oncall@example.org"
    text = signed_in(admin).get("/admin/system/").content.decode()
    assert "SMS and calls are not available." in text
    assert "docs/operations.md, “Slack”" in text
    assert "E-mail is not sent, but written to files" not in text
    paths = ("/me/notifications/", f"/pipelines/{daily_growth.slug}/channels/")
    assert ["docs/operations.md" in signed_in(admin).get(path).content.decode() for path in paths] == [True, True]
    assert ["docs/operations.md" in signed_in(a).get(path).content.decode() for path in paths] == [False, False]
    settings.TWILIO_ACCOUNT_SID = settings.SLACK_BOT_TOKEN = "set"
    assert "docs/operations.md, “" not in signed_in(admin).get("/admin/system/").content.decode()
    settings.EMAIL_HOST, settings.HTTPS = "", False
    text = signed_in(admin).get("/admin/system/").content.decode()
    assert "E-mail is not sent, but written to files" in text
    assert "Push needs an HTTPS address" in text


def test_the_system_page_needs_an_admin(client, signed_in, a):
    assert signed_in(a).get("/admin/system/").status_code in (302, 403)
    assert client.get("/admin/system/").status_code == 302


def test_the_query_count_does_not_grow_with_the_rows(signed_in, a, admin):
    browser = signed_in(admin)

    def query_count(path):
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
        return len(captured)

    def fill(numbers):
        for number in numbers:
            message(a, f"failed {number}", state="failed")
            services.record_sweep(f"sweep {number}", worker="w", seconds=1)
            services.record_heartbeat(worker=f"celery@{number}")

    for path in ("/metrics", "/admin/system/"):
        fill([path])
        one = query_count(path)
        fill(f"{path} {number}" for number in range(30))
        assert query_count(path) <= one


def test_an_unreachable_broker_is_reported(signed_in, admin, monkeypatch):
    from django.conf import settings

    monkeypatch.setattr(settings, "CELERY_BROKER_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {"socket_connect_timeout": 1})
    assert queries.broker_backlog() is None
    assert "cannot connect to the broker" in signed_in(admin).get("/admin/system/").content.decode()
    assert ("oncall_broker_backlog",) not in samples(signed_in(admin).get("/metrics"))
