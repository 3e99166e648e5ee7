"""Renders a runbook in a process of its own that is killed at its time limit (reliability.md, promise 21).

Python-Markdown takes over twenty seconds on some texts of 64 KiB, and holds the interpreter while it does: neither a thread
nor a signal would stop it.
"""

import atexit
import time
from typing import Any

from common.worker_process import NotStartedError, WorkerProcess
from runbooks.domain.handbook_model import LARGEST_RUNBOOK
from runbooks.domain.rendering import Rendered, Section

LIMIT_SECONDS = 2.0
# Callers wait for their turn as long as a few slow texts before them may take, then give up.
TURNS = 4


class RunbookTooLarge(Exception):  # noqa: N818  # the house's name for it
    """The text is larger than a runbook may be."""


class RenderingTimedOut(Exception):  # noqa: N818  # the house's name for it
    """The text takes too long, or nests too deeply, to be rendered."""


_worker = WorkerProcess("runbooks.markdown_worker")
atexit.register(_worker.stop)


def render_safely(markdown: str, *, limit_seconds: float = LIMIT_SECONDS) -> Rendered:
    """Return the text rendered within the limit, in seconds.

    Raises RunbookTooLarge for more than 64 KiB of UTF-8, RenderingTimedOut where the limit passes or the text nests too deeply.
    """
    size = len(markdown.encode("utf-8", "surrogatepass"))
    if size > LARGEST_RUNBOOK:
        raise RunbookTooLarge(f"The text has {size:,} bytes; a runbook may have {LARGEST_RUNBOOK:,}.")
    if not _worker.lock.acquire(timeout=limit_seconds * TURNS):
        raise RenderingTimedOut
    try:
        sections = _sections(markdown, limit_seconds=limit_seconds)
    except (TimeoutError, EOFError, NotStartedError) as error:
        raise RenderingTimedOut from error
    finally:
        _worker.lock.release()
    if sections is None:
        raise RenderingTimedOut
    return Rendered(tuple(Section(*section) for section in sections))


def _sections(markdown: str, *, limit_seconds: float) -> list[Any] | None:
    """Return the sections as lists, None where the text nests too deeply."""
    for last in (False, True):
        _worker.ask(markdown)
        try:
            answer: list[Any] | None = _worker.answer(until=time.monotonic() + limit_seconds)
        except EOFError:
            # Somebody killed it, perhaps while it was idle: a fresh one gets a second try.
            _worker.stop()
            if last:
                raise
        else:
            return answer
    raise AssertionError("the second attempt returns or raises")
