"""Renders a runbook in a process of its own that is killed at its time limit (reliability.md, promise 21).

Python-Markdown takes over twenty seconds on some texts of 64 KiB, and holds the interpreter while it does: neither a thread
nor a signal would stop it.
"""

import atexit
import json
import os
import select
import subprocess  # nosec B404  # our own modules only, never a shell
import sys
import threading
import time
from pathlib import Path
from typing import Any

from runbooks.engine.handbook_parts import LARGEST_RUNBOOK
from runbooks.engine.rendering import Rendered, Section
from runbooks.rendering_worker import HEADER, frame

LIMIT_SECONDS = 2.0
START_SECONDS = 20.0
# Callers wait for their turn as long as a few slow texts before them may take, then give up.
TURNS = 4
ROOT = Path(__file__).resolve().parent.parent


class RunbookTooLarge(Exception):  # noqa: N818  # the house's name for it
    """The text is larger than a runbook may be."""


class RenderingTimedOut(Exception):  # noqa: N818  # the house's name for it
    """The text takes too long, or nests too deeply, to be rendered."""


class _Worker:
    """One rendering process, started at its first text and again after it was killed."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0

    def render(self, markdown: str, *, limit_seconds: float) -> list[Any] | None:
        """Return the sections as lists, None where the text nests too deeply; raise RenderingTimedOut."""
        if not self.lock.acquire(timeout=limit_seconds * TURNS):
            raise RenderingTimedOut
        try:
            for attempt in (1, 2):
                process = self._running()
                try:
                    return self._answer(process, frame(markdown), until=time.monotonic() + limit_seconds)
                except (BrokenPipeError, EOFError):
                    # Somebody killed it, perhaps while it was idle: a fresh one gets a second try.
                    self.stop()
                    if attempt == 2:
                        raise RenderingTimedOut from None
            raise AssertionError("the second attempt returns or raises")
        finally:
            self.lock.release()

    def stop(self) -> None:
        """End the process, if it is this process's own."""
        process, self.process = self.process, None
        if process is None:
            return
        if self.owner != os.getpid():
            # Inherited through a fork: it answers our parent, and is not ours to stop.
            process.returncode = 0
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        process.wait()

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is not None and (self.owner != os.getpid() or self.process.poll() is not None):
            self.stop()
        if self.process is None:
            self.owner = os.getpid()
            self.process = subprocess.Popen(  # nosec B603  # our own module, no shell
                [sys.executable, "-m", "runbooks.rendering_worker"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            )
            self._answer(self.process, b"", until=time.monotonic() + START_SECONDS)
        return self.process

    def _answer(self, process: subprocess.Popen[bytes], request: bytes, *, until: float) -> list[Any] | None:
        if process.stdin is None or process.stdout is None:
            raise EOFError
        process.stdin.write(request)
        process.stdin.flush()
        header = self._read(process, HEADER.size, until=until)
        answer: list[Any] | None = json.loads(self._read(process, HEADER.unpack(header)[0], until=until))
        return answer

    def _read(self, process: subprocess.Popen[bytes], size: int, *, until: float) -> bytes:
        if process.stdout is None:
            raise EOFError
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.stop()
                raise RenderingTimedOut
            chunk = os.read(process.stdout.fileno(), size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data


_worker = _Worker()
atexit.register(_worker.stop)


def render_safely(markdown: str, *, limit_seconds: float = LIMIT_SECONDS) -> Rendered:
    """Return the text rendered within the limit, in seconds.

    Raises RunbookTooLarge for more than 64 KiB of UTF-8, RenderingTimedOut where the limit passes or the text nests too deeply.
    """
    size = len(markdown.encode("utf-8", "surrogatepass"))
    if size > LARGEST_RUNBOOK:
        raise RunbookTooLarge(f"The text has {size:,} bytes; a runbook may have {LARGEST_RUNBOOK:,}.")
    sections = _worker.render(markdown, limit_seconds=limit_seconds)
    if sections is None:
        raise RenderingTimedOut
    return Rendered(tuple(Section(*section) for section in sections))
