"""The start of the local site's PostgreSQL beside that of others."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

from oncall_site.local import postgres

FOLDER = "from oncall_site.local.postgres import PostgresServer; print(PostgresServer.runtime_path.parent)"


def test_a_process_that_starts_leaves_the_folder_of_sockets_as_it_is(tmp_path):
    """A server that another process starts runs as a user of its own, which must still reach its socket's folder."""
    environment = {name: value for name, value in os.environ.items() if name != "XDG_RUNTIME_DIR"}
    environment["TMPDIR"] = str(tmp_path)
    tmp_path.chmod(0o755)

    def start():
        return subprocess.run(
            [sys.executable, "-c", FOLDER], env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()

    folder = Path(start())
    if folder.is_relative_to(tmp_path):
        folder.chmod(0o755)  # as a server's start does
    mode = folder.stat().st_mode
    assert Path(start()) == folder
    assert folder.stat().st_mode == mode


def test_a_server_that_does_not_start_at_once_is_started_again(tmp_path, monkeypatch):
    start = postgres.PostgresServer.ensure_postgres_running
    attempts = []

    def fail_once(server):
        attempts.append(server)
        if len(attempts) == 1:
            raise subprocess.CalledProcessError(1, "pg_ctl")
        start(server)

    monkeypatch.setattr(postgres.PostgresServer, "ensure_postgres_running", fail_once)
    with contextlib.closing(psycopg2.connect(postgres.database_url(var=tmp_path))) as connection:
        assert connection.status == psycopg2.extensions.STATUS_READY
    assert len(attempts) == 2
    attempts[-1].stop()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(attempts[-1].get_uri())


def test_a_running_server_on_a_full_disk_is_reported(monkeypatch, tmp_path):
    """The server may answer queries and refuse writes. Then no other check reports the disk."""
    monkeypatch.setattr(postgres.shutil, "disk_usage", lambda folder: SimpleNamespace(free=8192))
    with pytest.raises(postgres.LocalSetupError, match=f"No space left for {tmp_path}. Free some disk space"):
        postgres.check_connection(var=tmp_path)
