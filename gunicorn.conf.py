"""What gunicorn's processes of one machine share, the folder in which each counts its requests for /metrics, and how each begins."""

import gc
import os
import shutil
import sys
import tempfile
import threading
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone

# A thread that waits for the interpreter gets it after at most this long, while others compute.
SWITCH_SECONDS = 0.001
# A worker writes the time of a file twice for each request. On a disk it would also wait for other writes.
MEMORY_FOLDER = "/dev/shm"  # noqa: S108  # nosec B108  # gunicorn creates the file with a random name and removes the name at once
# `make run` has set it already: it must be set before anything is loaded.
METRICS_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="oncall-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_FOLDER

from prometheus_client import multiprocess  # noqa: E402  # it reads the folder's name when it is imported

# The workers are copies of one process that has loaded everything: they start at once and share its memory.
preload_app = True
worker_tmp_dir = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None


def when_ready(server: Any) -> None:
    """Load everything before the first worker starts, and exclude it from garbage collection.

    A full collection takes 20 ms, and a page of a large site triggered one.
    """
    import_module("oncall_site.loading").load_pages()
    settings.SITE_STARTED_AT = timezone.now()
    # Two processes must not share a connection.
    connections.close_all()
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Let short requests pass long ones, and give the threads that answer requests memory for deep calls."""
    sys.setswitchinterval(SWITCH_SECONDS)
    # Not for each request: mapping the memory and touching it for the first time took a tenth of a response from memory (docs/adr/0047).
    with_deep_stack = import_module("common.call_stack").with_deep_stack
    threading.Thread.run = with_deep_stack(threading.Thread.run)  # type: ignore[method-assign]


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counts stay in the sums."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder with the server."""
    shutil.rmtree(METRICS_FOLDER, ignore_errors=True)
