"""Workers of pytest-xdist as copies of the main process, after it has imported the tests.

Each worker would import Django, the site and all tests, which takes it five seconds of processor time; the copies share that. One more
copy migrates the database meanwhile. A worker that replaces one that died starts as pytest-xdist starts it.
"""

import atexit
import contextlib
import gc
import importlib
import multiprocessing
import os
import warnings
from pathlib import Path

import pytest
from _pytest.assertion import rewrite
from _pytest.config import apply_warning_filters
from execnet import gateway_base, gateway_io
from pytest_django.plugin import blocking_manager_key

from tests import servers
from tests.slow import is_left_out

FORK = multiprocessing.get_context("fork")


class Pipes:
    """The pipes between the main process and a copy of it."""

    def __init__(self):
        self.worker_reads, self.main_writes = os.pipe()
        self.main_reads, self.worker_writes = os.pipe()

    def close_in_main(self):
        os.close(self.worker_reads)
        os.close(self.worker_writes)

    def close_in_worker(self):
        os.close(self.main_reads)
        os.close(self.main_writes)


class CopyIO(gateway_base.Popen2IO):
    """What execnet needs of a process: where to write and read, and how to wait for it and to kill it."""

    def __init__(self, process, pipes, execmodel):
        self.process = process
        super().__init__(os.fdopen(pipes.main_writes, "wb"), os.fdopen(pipes.main_reads, "rb"), execmodel)

    def wait(self):
        self.process.join()
        return self.process.exitcode

    def kill(self):
        self.process.kill()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config, specs):
    """Import the tests, and make a copy of this process for each worker."""
    modules = list(_test_modules(config))
    _start_copy(_migrate_and_compile, config, modules)
    with _collection(config):
        _import_tests(modules)
    copies = []
    for spec in specs:
        pipes = Pipes()
        process = _start_copy(_work, config, spec, pipes, [other for _, other in copies])
        pipes.close_in_main()
        copies.append((process, pipes))
    create_io = gateway_io.create_io
    gateway_io.create_io = lambda spec, execmodel: (
        CopyIO(*copies.pop(0), execmodel) if copies else create_io(spec, execmodel)
    )


def _start_copy(function, *arguments):
    process = FORK.Process(target=function, args=arguments)
    process.start()
    servers.tell_reaper(process.pid)
    return process


@contextlib.contextmanager
def _collection(config):
    """Treat warnings as pytest does while it collects tests, and keep garbage collection from what stays."""
    gc.disable()
    with warnings.catch_warnings():
        apply_warning_filters(config.getini("filterwarnings"), config.known_args_namespace.pythonwarnings or [])
        yield
    gc.freeze()
    gc.enable()


def _test_modules(config):
    """Yield path and name of the modules that the run may collect."""
    marks = config.getoption("markexpr")
    for argument in config.args:
        path = Path(config.invocation_params.dir, argument.partition("::")[0])
        for file in sorted(path.rglob("test_*.py")) if path.is_dir() else [path]:
            if file.is_relative_to(config.rootpath) and not is_left_out(file, marks):
                yield file, ".".join(file.relative_to(config.rootpath).with_suffix("").parts)


def _import_tests(modules):
    """Import test modules. Of one that raises, pytest reports the error, because it imports that module again."""
    for _, name in modules:
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def _migrate_and_compile(config, modules):
    """Migrate the database; then compile what a new checkout lacks, the last tests first: the main process begins with the first."""
    from tests.databases import build_template

    servers.leave_to_main_process()
    with config.stash[blocking_manager_key].unblock():
        build_template()
    with _collection(config):
        _import_tests(one for one in reversed(modules) if not _is_compiled(one[0]))


def _is_compiled(path):
    return rewrite._read_pyc(path, rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}") is not None


def _work(config, spec, pipes, others):
    """Be a worker of pytest-xdist until the main process closes the pipe."""
    servers.leave_to_main_process()
    for each in (pipes, *others):
        each.close_in_worker()
    config._ensure_unconfigure()
    os.dup2(pipes.worker_reads, 0)
    os.dup2(pipes.worker_writes, 1)
    os.close(pipes.worker_reads)
    os.close(pipes.worker_writes)
    # The program that execnet sends to a new Python. This one knows it already.
    with os.fdopen(0, "rb", buffering=0, closefd=False) as stdin:
        stdin.readline()
    os.write(1, b"1")
    gateway_base.serve(gateway_base.init_popen_io(gateway_base.get_execmodel(spec.execmodel)), id=f"{spec.id}-worker")
    atexit._run_exitfuncs()
