"""What gunicorn's processes of one machine share: the folder in which each counts its requests for /metrics."""

import os
import shutil
import tempfile
from typing import Any

COUNTS = tempfile.mkdtemp(prefix="oncall-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = COUNTS

from prometheus_client import multiprocess  # noqa: E402  # it reads the folder's name when it is imported


def child_exit(server: Any, worker: Any) -> None:
    """Forget the gauges of a worker that is gone; its counts stay in the sums."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(server: Any) -> None:
    """Remove the folder with the server."""
    shutil.rmtree(COUNTS, ignore_errors=True)
