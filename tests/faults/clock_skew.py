"""Runs Celery or manage.py in a process whose clock is wrong: `python -m tests.faults.clock_skew SECONDS celery|manage ARGUMENTS`.

Its beat starts every sweep that the tests wait for after two seconds: what a sweep does is tested, not how often it is started.
"""

import datetime as dt
import os
import sys
import time

from django.utils import timezone

QUICK_SECONDS = 2.0
AWAITED = (
    *("escalate incidents", "start drills", "sync incidents", "sweep checks"),
    *("sync publications", "render reader pages", "deliver reader messages"),
)
real_time = time.time


def run(skew, program, arguments):
    """Run the program in this process."""
    time.time = lambda: real_time() + skew
    timezone.now = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=skew)
    sys.argv = [program, *arguments]
    if program == "celery":
        from celery.__main__ import main as run_celery

        if os.environ.get("TEST_PROVIDERS_URL"):
            import django

            django.setup()
            from tests.faults.providers import use_providers

            use_providers()
        if "beat" in arguments:
            from oncall_site.celery import app

            for name in AWAITED:
                app.conf.beat_schedule[name]["schedule"] = QUICK_SECONDS
        run_celery()
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    run(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
