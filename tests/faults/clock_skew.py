"""Runs Celery or manage.py in a process whose clock is wrong: `python -m tests.faults.clock_skew SECONDS celery|manage ARGUMENTS`."""

import datetime as dt
import sys
import time

from django.utils import timezone

real_time = time.time


def main():
    skew, program, arguments = float(sys.argv[1]), sys.argv[2], sys.argv[3:]
    time.time = lambda: real_time() + skew
    timezone.now = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(seconds=skew)
    sys.argv = [program, *arguments]
    if program == "celery":
        from celery.__main__ import main as run

        run()
    else:
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
