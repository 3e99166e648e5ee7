"""`make backup` and `make restore`: the database of `make run` goes to a file and comes back whole."""

import contextlib
import os
import subprocess
import sys

import psycopg2
import pytest
from django.test import override_settings

from oncall_site.local import postgres
from oncall_site.local.backup import main, restore
from oncall_site.local.supervisor import single_instance
from tests.faults.prepared import prepare_database
from tests.faults.test_make_run import ROOT

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]


def run(var, *command):
    """Run a command of the local site; return its exit code and its output."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(var), "ONCALL_VAR": str(var), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, (done.stdout + done.stderr).strip()


def backup(var, *arguments):
    return run(var, "-m", "oncall_site.local.backup", *map(str, arguments))


@pytest.fixture
def query(django_db_setup, tmp_path):
    """Run SQL in the migrated database of the local site, whose server runs during the test."""
    url = prepare_database(tmp_path)

    def query(statement):
        with contextlib.closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None

    with override_settings(DATABASE_URL=url, VAR=tmp_path):
        yield query
    postgres.stop(var=tmp_path)


def test_a_backup_of_the_local_site_is_restored_whole_or_not_at_all(tmp_path, query):
    dump, damaged = tmp_path / "oncall.dump", tmp_path / "damaged.dump"
    query("CREATE TABLE mark AS SELECT 'before' AS name")
    migrations = query("SELECT count(*) FROM django_migrations")

    assert backup(tmp_path, "save", dump) == (0, f"Saved {dump}. Keep it together with var/secret-key.")
    assert dump.stat().st_mode & 0o777 == 0o600
    query("INSERT INTO mark VALUES ('after')")
    query("CREATE TABLE newer AS SELECT * FROM mark")

    damaged.write_bytes(dump.read_bytes()[: dump.stat().st_size // 2])
    with pytest.raises(postgres.LocalSetupError, match="pg_restore: error"):
        restore(damaged)
    with single_instance(tmp_path):
        code, output = backup(tmp_path, "restore", dump)
        assert (code, output.split(".")[0]) == (1, f"The site is already running from {tmp_path}")
    assert query("SELECT name FROM mark") == [("before",), ("after",)]

    code, output = backup(tmp_path, "restore", dump)
    assert (code, output.splitlines()[-1]) == (0, f"Restored {dump}. Start the site with: make run")
    assert query("SELECT name FROM mark") == [("before",)]
    assert query("SELECT to_regclass('newer')") == [(None,)]
    assert query("SELECT count(*) FROM django_migrations") == migrations


def test_a_backup_that_is_missing_is_named(tmp_path, monkeypatch):
    missing = tmp_path / "missing.dump"
    for arguments, sentence in (
        ([str(missing)], f"There is no file {missing}."),
        ([], "Which backup? make restore FILE=var/backups/….dump"),
    ):
        monkeypatch.setattr(sys, "argv", ["backup", "restore", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == sentence
