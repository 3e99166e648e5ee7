"""Compare figures with aims, on a machine under load."""

import contextlib
import subprocess
import sys


def against(value, most, unit=""):
    """Return a target with the ratio of a value to it, and whether the value meets it."""
    return f"; aim: at most {most:g}{unit}, {value / most:.2f} of it, {'met' if value <= most else 'missed'}"


@contextlib.contextmanager
def load(processes):
    """Keep `count` processes computing."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
