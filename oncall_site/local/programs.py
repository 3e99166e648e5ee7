"""The programs of `make run`: each runs in a copy of the supervisor, which has loaded the code that they share."""

import contextlib
import gc
import logging
import os
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from oncall_site.web_server import (
    KEEP_ALIVE,
    WITHOUT_NGINX,
    find_nginx,
    make_folder,
    nginx_command,
    sweep_folders,
    write_configuration,
)

# One process with threads is enough for trying the site, and needs a hundred megabytes less than two.
WEB_WORKERS, WEB_THREADS, WORKER_THREADS = 1, 8, 2
PRELOADED_MODULES = (
    "celery.apps.worker",
    "celery.concurrency.thread",
    "common.api.unknown_fields",
    "gunicorn.app.wsgiapp",
    "gunicorn.sock",
    "gunicorn.workers.gthread",
    "oncall_site.celery",
    "oncall_site.celery_hooks",
    "oncall_site.local.filesystem_broker",
    "oncall_site.prometheus",
    "oncall_site.wsgi",
)


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the site. `run` returns its exit code, and `can_start` says whether it can start yet."""

    run: Callable[[], int]
    can_start: Callable[[], bool] = lambda: True


def metrics_folder(var: Path) -> Path:
    """Return the folder with the counters of the web process."""
    return var / "metrics"


def load_everything() -> None:
    """Load the code of all programs and close this process's connections, which copies must not share."""
    from django.db import connections  # noqa: PLC0415  # importing the settings starts the database

    for name in PRELOADED_MODULES:
        import_module(name)
    import_module("oncall_site.loading").load_pages()
    import_module("oncall_site.celery").app.finalize(auto=True)
    import_module("oncall_site.celery").app.loader.import_default_modules()
    connections.close_all()
    gc.collect()
    # The garbage collector writes to the objects that it visits, and memory that is written to is no longer shared.
    gc.freeze()
    gc.enable()


def site_programs(address: str) -> dict[str, Program]:
    """Return the programs of the site by name: the web server, nginx in front of it, and the worker with beat."""
    bind = address.rpartition("/")[2]
    worker = Program(run_worker)
    nginx = find_nginx()
    if nginx is None:
        sys.stderr.write(WITHOUT_NGINX)
        return {"web": Program(lambda: run_gunicorn(bind)), "worker": worker}
    folder = make_folder()
    write_configuration(folder, bind=bind, pid_file=folder / "nginx.pid", is_one_process=True)
    socket = folder / "gunicorn.sock"
    front = nginx_command(nginx, folder=folder)
    return {
        "web": Program(lambda: run_gunicorn(f"unix:{socket}")),
        # Nobody can connect until gunicorn can take requests.
        "nginx": Program(lambda: os.execv(front[0], front), can_start=socket.exists),  # noqa: S606  # nosec B606  # our own command
        "worker": worker,
    }


def make_metrics_folder(var: Path) -> None:
    """Empty the folder of the counters: those of a killed run do not belong to this one."""
    folder = metrics_folder(var)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def remove_folders(*, var: Path) -> None:
    """Remove what the programs leave behind when they are killed."""
    sweep_folders(owner_pid=os.getpid())
    shutil.rmtree(metrics_folder(var), ignore_errors=True)


def run_gunicorn(bind: str) -> int:
    """Run gunicorn's worker in this process until it is stopped; return the exit code.

    The supervisor restarts the process, so the site needs no gunicorn that does nothing but restart its worker.
    """
    warnings.simplefilter("ignore")
    # The previous process has removed it if it stopped normally.
    Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]).mkdir(parents=True, exist_ok=True)
    sizes = ["--workers", str(WEB_WORKERS), "--threads", str(WEB_THREADS), "--log-level", "warning"]
    sys.argv = ["gunicorn", "oncall_site.wsgi", "--bind", bind, *KEEP_ALIVE, *sizes]
    site = import_module("gunicorn.app.wsgiapp").WSGIApplication()
    log = site.cfg.logger_class(site.cfg)
    site.wsgi()
    sockets = import_module("gunicorn.sock").create_sockets(site.cfg, log)
    site.cfg.when_ready(None)
    # It stops if its parent is another one.
    worker = site.cfg.worker_class(1, os.getppid(), sockets, site, site.cfg.timeout, site.cfg, log)
    worker.pid = os.getpid()
    # The worker says again and again that it is not stuck. If it stops saying so, the system ends it and the supervisor restarts it.
    worker.notify = lambda: signal.alarm(site.cfg.timeout)
    # It also looks each second for connections that are to be closed. Without connections, it looks less often.
    wait, quiet_seconds = worker.wait_for_and_dispatch_events, max(1.0, site.cfg.timeout / 6)
    worker.wait_for_and_dispatch_events = lambda timeout: wait(timeout if worker.nr_conns else quiet_seconds)
    try:
        worker.init_process()
    finally:
        site.cfg.on_exit(None)
    return 0


def run_worker() -> int:
    """Run a worker with threads, one of which is beat, until it is stopped; return the exit code."""
    warnings.simplefilter("ignore")
    logging.getLogger("celery").setLevel(logging.WARNING)
    app = import_module("oncall_site.celery").app
    import_module("oncall_site.celery_hooks").limit_threads()
    threading.Thread(target=_run_beat, args=(app,), name="beat", daemon=True).start()
    # There is one worker, so nothing reads the events by which workers find each other.
    alone = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
    worker = app.Worker(pool_cls="threads", concurrency=WORKER_THREADS, loglevel="WARNING", quiet=True, **alone)
    worker.start()
    return int(worker.exitcode or 0)


def _run_beat(app: Any) -> None:
    """Run beat until the process ends. If beat stops, the process stops too and is restarted."""
    beat = import_module("celery.beat")
    with contextlib.suppress(Exception):
        beat.Service(app, scheduler_cls=app.conf.beat_scheduler).start()
    sys.stderr.write("Beat ended.\n")
    sys.stderr.flush()
    os._exit(1)
