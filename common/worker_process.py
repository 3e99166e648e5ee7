"""Worker subprocess that exchanges JSON frames and is killed on timeout.

This module has both ends: `WorkerProcess` for the site, and the functions for the worker module, which imports no Django.
"""

import json
import os
import resource
import select
import struct
import subprocess  # nosec B404  # our own modules only, never a shell
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

HEADER = struct.Struct(">I")
MEMORY_BYTES = 1 << 30
START_SECONDS = 20.0
ROOT = Path(__file__).resolve().parent.parent


class NotStartedError(Exception):
    """The worker process does not start."""


class WorkerProcess:
    """A subprocess that runs a module, started at the first request and restarted after it was killed."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.owner = 0
        self.requests = 0

    def ask(self, request: object) -> None:
        """Send a request, restarting a process that died while idle; raise NotStartedError."""
        self.requests += 1
        for _ in range(2):
            pipe = self._running().stdin
            try:
                if pipe is not None:
                    pipe.write(encode_frame(request))
                    pipe.flush()
            except BrokenPipeError:
                self.stop()
            else:
                return
        raise NotStartedError

    def answer(self, *, until: float) -> Any:
        """Return the next frame; raise EOFError if the process has ended, or TimeoutError at the deadline, which kills it."""
        header = self._bytes(HEADER.size, until=until)
        return json.loads(self._bytes(HEADER.unpack(header)[0], until=until))

    def stop(self) -> None:
        """Kill the worker, unless it belongs to the parent of a fork."""
        process, self.process = self.process, None
        if process is None:
            return
        if self.owner != os.getpid():
            # Inherited through a fork: the worker belongs to our parent.
            process.returncode = 0
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        process.wait()

    def stop_later(self, *, seconds: float) -> None:
        """Stop the worker after this time unless a request comes first. The caller holds the lock."""
        timer = threading.Timer(seconds, self._stop_idle, args=(self.requests,))
        timer.daemon = True
        timer.start()

    def _stop_idle(self, requests: int) -> None:
        if self.lock.acquire(blocking=False):
            try:
                if self.requests == requests:
                    self.stop()
            finally:
                self.lock.release()

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is not None and (self.owner != os.getpid() or self.process.poll() is not None):
            self.stop()
        if self.process is None:
            self.owner = os.getpid()
            self.process = subprocess.Popen(  # noqa: S603  # nosec B603  # our own module, no shell
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"PATH": os.defpath, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
            )
            try:
                self.answer(until=time.monotonic() + START_SECONDS)
            except (TimeoutError, EOFError) as error:
                self.stop()
                raise NotStartedError from error
        return self.process

    def _bytes(self, size: int, *, until: float) -> bytes:
        if self.process is None or self.process.stdout is None:
            raise EOFError
        data = b""
        while len(data) < size:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self.stop()
                raise TimeoutError
            chunk = os.read(self.process.stdout.fileno(), size - len(data))
            if not chunk:
                raise EOFError
            data += chunk
        return data


def start_worker() -> None:
    """Limit the memory of this worker and send the first frame, "ready"."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    send_frame("ready")


def read_frame(stream: IO[bytes]) -> Any:
    """Return the next value from a stream, or None at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return json.loads(stream.read(HEADER.unpack(header)[0]))


def encode_frame(value: object) -> bytes:
    """Return a frame: the length of the value's JSON in four bytes, then the JSON."""
    data = json.dumps(value).encode()
    return HEADER.pack(len(data)) + data


def send_frame(value: object) -> None:
    """Write a value to standard output and flush it."""
    sys.stdout.buffer.write(encode_frame(value))
    sys.stdout.buffer.flush()
