"""The process in which runbooks are rendered: frames of JSON in, frames of JSON out, until its input ends."""

import sys

from common.worker_process import read_frame, send_frame, start_worker
from runbooks.domain.rendering import render


def main() -> None:
    """Answer texts with their sections until the input ends."""
    start_worker()
    while (text := read_frame(sys.stdin.buffer)) is not None:
        try:
            sections = [(part.title, part.anchor, part.html, part.text) for part in render(text).sections]
        except (RecursionError, MemoryError, ValueError):
            # Nesting beyond what the parser can hold; who asked is told that it cannot be rendered.
            sections = None
        send_frame(sections)


if __name__ == "__main__":
    main()
