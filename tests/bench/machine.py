"""What basic work costs on this machine. Figures of two machines can be compared only if these are alike (docs/performance.md)."""

import mmap
import os
import statistics
import threading
import time

REPEATS = 20_000
PAGES = 2000
PAUSE_SECONDS = 0.5
TRIES = 5


def measure():
    """Print what additions, system calls, thread switches and pages of memory cost."""
    print("| this machine | µs |\n|---|---|")
    costs = {
        "an addition in a loop": _per_repeat(_add),
        "a system call": _per_repeat(_call_system),
        "a switch to another thread and back": _per_repeat(_switch_threads),
        "a page of memory used just before": _per_page(pause=0.0),
        f"a page of memory not used for {PAUSE_SECONDS} s": _per_page(pause=PAUSE_SECONDS),
    }
    for name, microseconds in costs.items():
        print(f"| {name} | {microseconds:.3f} |")


def _per_repeat(work):
    """Return the median microseconds of one repeat."""
    times = []
    for _ in range(TRIES):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) / REPEATS * 1e6)
    return statistics.median(times)


def _add():
    number = 0
    while number < REPEATS:
        number += 1


def _call_system():
    for _ in range(REPEATS):
        os.getppid()


def _switch_threads():
    here, there = threading.Semaphore(0), threading.Semaphore(0)

    def answer():
        for _ in range(REPEATS):
            there.acquire()
            here.release()

    thread = threading.Thread(target=answer)
    thread.start()
    for _ in range(REPEATS):
        there.release()
        here.acquire()
    thread.join()


def _per_page(*, pause):
    """Return the median microseconds for a page that was last used this many seconds ago."""
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as memory:
        memory[:: mmap.PAGESIZE] = b"x" * PAGES
        times = []
        for _ in range(TRIES):
            time.sleep(pause)
            began = time.perf_counter()
            memory[:: mmap.PAGESIZE]
            times.append((time.perf_counter() - began) / PAGES * 1e6)
        return statistics.median(times)
