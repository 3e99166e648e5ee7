"""What gunicorn's processes of one machine share, the folder in which each counts its requests for /metrics, and how each begins."""

import gc
import os
import shutil
import sys
import tempfile
from importlib import import_module
from typing import Any

from django.conf import settings
from django.db import connections
from django.utils import timezone

# A thread that waits for the interpreter gets it after at most this long, while others compute.
SWITCH_SECONDS = 0.001
# `make run` has set it already: it must be set before anything is loaded.
METRICS_FOLDER = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or tempfile.mkdtemp(prefix="oncall-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_FOLDER

from prometheus_client import multiprocess  # noqa: E402  # it reads the folder's name when it is imported

# The workers are copies of one process that has loaded everything: they start at once and share its memory.
preload_app = True


def when_ready(server: Any) -> None:
    """Load everything before the first worker starts, and exclude it from garbage collection.

    A full collection takes 20 ms, and a page of a large site triggered one.
    """
    import_module("oncall_site.loading").load_pages()
    import_module("common.api.unknown_fields").described_fields()
    settings.SITE_STARTED_AT = timezone.now()
    # Two processes must not share a connection.
    connections.close_all()
    gc.collect()
    gc.freeze()


def post_worker_init(worker: Any) -> None:
    """Let short requests pass long ones."""
    sys.setswitchinterval(SWITCH_SECONDS)


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counts stay in the sums."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder with the server."""
    shutil.rmtree(METRICS_FOLDER, ignore_errors=True)
