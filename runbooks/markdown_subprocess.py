"""Render runbooks in a separate process that is killed at its time limit (docs/reliability.md).

Python-Markdown takes over twenty seconds for some texts of 64 KiB and holds the interpreter lock meanwhile, so neither
a thread nor a signal could stop it.
"""

import atexit
import time
from typing import Any

from common.worker_process import NotStartedError, WorkerProcess
from runbooks.domain.handbook_model import LARGEST_RUNBOOK
from runbooks.domain.rendering import Rendered, Section

LIMIT_SECONDS = 2.0
# Callers wait as long as a few slow renders may take, then give up.
TURNS = 4


class RunbookTooLarge(Exception):  # noqa: N818  # existing public name
    """The text exceeds the maximum size of a runbook."""


class RenderingTimedOut(Exception):  # noqa: N818  # existing public name
    """The text takes too long to render, or is too deeply nested."""


_worker = WorkerProcess("runbooks.markdown_worker")
atexit.register(_worker.stop)


def render_safely(markdown: str, *, limit_seconds: float = LIMIT_SECONDS) -> Rendered:
    """Return the text rendered within the limit in seconds.

    Raise RunbookTooLarge for more than 64 KiB of UTF-8. Raise RenderingTimedOut if rendering exceeds the limit or the
    text is too deeply nested.
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
    """Return the sections as lists, or None if the text is too deeply nested."""
    for last in (False, True):
        _worker.ask(markdown)
        try:
            answer: list[Any] | None = _worker.answer(until=time.monotonic() + limit_seconds)
        except EOFError:
            # The worker may have been killed while idle, so retry once with a new one.
            _worker.stop()
            if last:
                raise
        else:
            return answer
    raise AssertionError("the second attempt returns or raises")
