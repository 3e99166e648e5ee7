#!/usr/bin/env python3
"""The command line of the site."""

import os
import sys
from pathlib import Path

VENV_PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        # Not the Python of the site: `make` installs the requirements into .venv.
        if not VENV_PYTHON.exists():
            sys.exit("The requirements are not installed. Run `make run` or `make .venv/installed` first.")
        if Path(sys.prefix) == VENV_PYTHON.parent.parent:
            sys.exit("The requirements in .venv are incomplete. Run `make .venv/installed`.")
        os.execv(VENV_PYTHON, [str(VENV_PYTHON), *sys.argv])  # noqa: S606  # nosec B606  # our own interpreter, no shell
    execute_from_command_line(sys.argv)
