"""`python -m tests.faults.copies`: starts copies of itself, which has loaded the site; a fresh process takes a second of CPU for that.

It reads a line of JSON for each copy: the clock's error in seconds, the program, its arguments and the file of its output. It answers
with the number of the process. Copies end when this process ends.
"""

import gc
import importlib
import json
import os
import signal
import sys

import django

from tests.faults import channel_loop, clock_skew
from tests.faults.processes import die_with_parent

# What the copies would load first, beside the site's apps and tasks.
LOADED = (
    "celery.apps.beat", "celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork", "celery.fixups.django",
    "kombu.transport.redis", "kombu.transport.filesystem", "notifications.management.commands.deliver",
)  # fmt: skip


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    django.setup()
    for name in LOADED:
        importlib.import_module(name)
    from oncall_site.celery import app

    app.loader.import_default_modules()
    gc.freeze()
    # Copies that end leave no zombie.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            become(**json.loads(line))
            return
        print(pid, flush=True)


def become(*, skew, program, arguments, log):
    """Be the program, as a process that was started for it."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
        os.close(source)
    if program == "channel_loop":
        channel_loop.main()
    else:
        clock_skew.run(skew, program, arguments)


if __name__ == "__main__":
    main()
