"""What gunicorn's processes of one machine share, the folder in which each counts its requests for /metrics, and how each begins."""

import gc
import os
import shutil
import sys
import tempfile
from importlib import import_module
from typing import Any

from django.conf import settings

# A thread that waits for the interpreter gets it after at most this long, while others compute.
SWITCH_SECONDS = 0.001
COUNTS = tempfile.mkdtemp(prefix="oncall-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = COUNTS

from prometheus_client import multiprocess  # noqa: E402  # it reads the folder's name when it is imported


def post_worker_init(worker: Any) -> None:
    """Let short requests pass long ones, and leave the loaded code and routes out of every later search for garbage.

    A full search through them takes 20 ms, and a page of a large site set one off.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    import_module(settings.ROOT_URLCONF)  # the routes, and with them the views of every room
    import_module("common.api.unknown_fields").described_fields()
    gc.collect()
    gc.freeze()


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counts stay in the sums."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder with the server."""
    shutil.rmtree(COUNTS, ignore_errors=True)
