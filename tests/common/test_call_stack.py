"""Memory for the frames of deep calls is not mapped and unmapped while a loop runs."""

import resource
import runpy
import sys
import threading

import pytest

from common.call_stack import STACK_SLOTS, with_deep_stack
from oncall_site.celery_hooks import RecordedTask
from tests.faults.web import ROOT

CALLS = 200
# Deeper than a request, and more than a chunk of frames apart.
DEPTHS = range(200)


def call(depth):
    if depth:
        return call(depth - 1)
    return loop()


def loop():
    """Call a function many times; return the pages of memory that the thread touched for the first time meanwhile."""
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        leaf(1, 2, 3)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def leaf(a, b, c):
    return a, b, c


def pages_touched(function):
    """Return the largest number of pages that a loop touches at any depth."""
    touched = []
    thread = threading.Thread()
    # The suite gives threads a deep stack.
    thread.run = lambda: touched.extend(function(depth) for depth in DEPTHS)
    thread.start()
    thread.join()
    return max(touched)


def test_a_loop_at_any_depth_maps_no_memory_for_its_calls():
    assert pages_touched(with_deep_stack(call)) < CALLS / 4


def test_a_function_with_a_deep_stack_is_the_same_function():
    def greet(name, *, loud=False):
        """Return a greeting."""
        return name.upper() if loud else name

    deep = with_deep_stack(greet)
    assert (deep("a"), deep("a", loud=True), deep.__name__, deep.__doc__) == ("a", "A", "greet", "Return a greeting.")


def test_endless_recursion_is_still_an_error_and_not_a_crash():
    def endless():
        return endless()

    @with_deep_stack
    def nested():
        return nested()

    outcomes = []

    def run():
        for function in (with_deep_stack(endless), nested):
            try:
                function()
            except RecursionError as error:
                outcomes.append(type(error))

    # As the main thread of a process.
    before = threading.stack_size(8 * 1024 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert outcomes == [RecursionError, RecursionError]


@pytest.fixture
def worker_hook(monkeypatch, tmp_path):
    """The hook with which gunicorn starts a worker; what it changes in this process is undone."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr(sys, "setswitchinterval", lambda seconds: None)
    monkeypatch.setattr(threading.Thread, "run", threading.Thread.run.__wrapped__)
    return runpy.run_path(str(ROOT / "gunicorn.conf.py"))["post_worker_init"]


def test_each_thread_of_a_web_worker_has_a_deep_stack(worker_hook):
    worker_hook(None)
    assert threading.Thread.run.__code__.co_stacksize == STACK_SLOTS


def test_tasks_have_a_deep_stack():
    assert RecordedTask.__call__.__code__.co_stacksize == STACK_SLOTS
