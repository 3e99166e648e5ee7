"""Runs Celery or manage.py in this process, with a wrong clock.

Beat starts the sweeps named in `often` once a second: the tests check what a sweep does, not how often it starts.
"""

import datetime as dt
import os
import sys
import time

from django.utils import timezone

OFTEN_SECONDS = 1.0
real_time = time.time


def run(skew, program, arguments, *, often):
    """Run the program with a clock that is off by `skew` seconds. `often` names the sweeps that the test waits for."""
    time.time = lambda: real_time() + skew
    timezone.now = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=skew)
    sys.argv = [program, *arguments]
    if program == "celery":
        from celery.__main__ import main as run_celery

        if os.environ.get("TEST_PROVIDERS_URL"):
            from tests.faults.providers import use_providers

            use_providers()
        if "beat" in arguments:
            from oncall_site.celery import app

            for name in often:
                app.conf.beat_schedule[name]["schedule"] = OFTEN_SECONDS
        run_celery()
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)
