"""`python -m tests.faults.copies`: loads the site and forks copies of itself, because a fresh process takes a second of CPU to load.

Reads a line of JSON for each copy: its environment, the error of its clock in seconds, the sweeps that beat starts
often, the program, its arguments and its output file. Prints the copy's process ID. Copies end when this process ends.
"""

import contextlib
import gc
import importlib
import json
import os
import signal
import sys
from pathlib import Path

import django
from django.conf import settings

from tests.faults import channel_loop, clock_skew, mail_sink
from tests.faults.processes import LOADED_VARIABLES, die_with_parent

# Modules that each copy would otherwise load first, besides the site's apps and tasks.
PRELOADED_MODULES = (
    "celery.apps.beat", "celery.apps.worker", "celery.bin.celery", "celery.concurrency.prefork", "celery.fixups.django",
    "kombu.transport.redis", "kombu.transport.filesystem", "notifications.management.commands.deliver", "billiard.heap",
    "billiard.popen_fork", "billiard.synchronize", "oncall_site.celery_hooks", "oncall_site.local.filesystem_broker",
)  # fmt: skip


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
    django.setup()
    for name in PRELOADED_MODULES:
        importlib.import_module(name)
    from oncall_site.celery import app
    from oncall_site.loading import load_pages

    load_pages()
    app.loader.import_default_modules()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, reap_copies)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run_program(**json.loads(line))
            return
        print(pid, flush=True)


def reap_copies(*_):
    """Reap copies that ended. (If the signal were ignored, the system would not count their CPU time.)"""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def run_program(*, environment, skew, often, program, arguments, log):
    """Run the program in this process, as if the process had been started for it."""
    die_with_parent()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
    use_environment(environment)
    if program == "mail_sink":
        mail_sink.main(*map(Path, arguments))
    elif program == "channel_loop":
        channel_loop.main()
    else:
        clock_skew.run(skew, program, arguments, often=often)


def use_environment(environment):
    """Replace the environment and read the settings again.

    LOADED_VARIABLES must stay the same, because loaded code depends on them.
    """
    from oncall_site.celery import app

    assert [os.environ[name] for name in LOADED_VARIABLES] == [environment[name] for name in LOADED_VARIABLES]
    os.environ.clear()
    os.environ.update(environment)
    module = importlib.reload(importlib.import_module(environment["DJANGO_SETTINGS_MODULE"]))
    for name in filter(str.isupper, dir(module)):
        setattr(settings, name, getattr(module, name))
        if name.startswith("CELERY_"):
            app.conf[name.removeprefix("CELERY_").lower()] = getattr(module, name)


if __name__ == "__main__":
    main()
