"""`make backup` and `make restore`: the database of `make run` as a file, with PostgreSQL's own programs."""

import argparse
import contextlib
import os
import subprocess  # nosec B404  # PostgreSQL's own programs only, never a shell
import sys
from pathlib import Path

import django
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from oncall_site.local import postgres
from oncall_site.local.supervisor import say, single_instance


def main() -> int:
    """Save or restore a backup; return the exit code."""
    parser = argparse.ArgumentParser(prog="oncall_site.local.backup", description=__doc__)
    parser.add_argument("command", choices=["save", "restore"])
    parser.add_argument("file", nargs="?", type=Path, help="default of save: var/backups/<time>.dump")
    options = parser.parse_args()
    if options.command == "restore" and (options.file is None or not options.file.is_file()):
        sys.exit(
            f"There is no file {options.file}."
            if options.file
            else "Which backup? make restore FILE=var/backups/….dump"
        )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    try:
        django.setup()
        if options.command == "save":
            say(f"Saved {save(options.file)}. Keep it together with var/secret-key.")
        else:
            restore(options.file)
            say(f"Restored {options.file}. Start the site with: make run")
    except (ImproperlyConfigured, postgres.LocalSetupError) as error:
        sys.exit(str(error))
    return 0


def save(path: Path | None) -> Path:
    """Write a consistent dump, also while the site runs, and return its path.

    Raises LocalSetupError if it cannot be written; no half a dump is left.
    """
    from django.conf import settings  # noqa: PLC0415  # importing the settings starts the database

    path = path or settings.VAR / "backups" / f"{timezone.now():%Y-%m-%dT%H%M%SZ}.dump"
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.touch(mode=0o600)
        _run("pg_dump", "--format=custom", f"--file={part}", settings.DATABASE_URL)
        part.rename(path)
    except OSError as error:
        raise postgres.LocalSetupError(postgres.storage_problem(error, var=path.parent)) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return path


def restore(path: Path) -> None:
    """Replace the whole database by a dump, in one transaction.

    Migrations that are newer than the dump are applied. Raises LocalSetupError, and changes nothing, if the file is not a
    dump of this site; the site must not be running.
    """
    from django.conf import settings  # noqa: PLC0415  # importing the settings starts the database
    from django.core.management import call_command  # noqa: PLC0415  # as above

    with single_instance(settings.VAR):
        tables = _run("pg_restore", "--list", str(path))
        if " django_migrations " not in tables:
            raise postgres.LocalSetupError(f"{path} is not a backup of this site.")
        statements = _run("pg_restore", "--no-owner", "--file=-", str(path))
        _run(
            "psql",
            "--quiet",
            "--no-psqlrc",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            f"--dbname={settings.DATABASE_URL}",
            text=f"DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\n{statements}",
        )
        call_command("migrate", verbosity=0)
        call_command("restored")


def _run(program: str, *arguments: str, text: str = "") -> str:
    """Run one of PostgreSQL's programs and return its output; raise LocalSetupError with its last lines if it fails."""
    command = [str(postgres.program(program)), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)  # noqa: S603  # nosec B603
    if done.returncode:
        raise postgres.LocalSetupError("\n".join(done.stderr.strip().splitlines()[-3:]))
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
