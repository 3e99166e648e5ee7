"""The process that renders runbooks. It reads and writes JSON frames until its input ends."""

import sys

from common.worker_process import read_frame, send_frame, start_worker
from runbooks.domain.rendering import render


def main() -> None:
    """Render each text and write its sections, until the input ends."""
    start_worker()
    while (text := read_frame(sys.stdin.buffer)) is not None:
        try:
            sections = [(part.title, part.anchor, part.html, part.text) for part in render(text).sections]
        except (RecursionError, MemoryError, ValueError):
            # The parser cannot handle this nesting depth. None reports that to the caller.
            sections = None
        send_frame(sections)


if __name__ == "__main__":
    main()
