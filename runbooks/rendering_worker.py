"""The process in which runbooks are rendered: frames of JSON in, frames of JSON out, until its input ends."""

import sys

from people.framed import begin, read_frame, say
from runbooks.engine.rendering import render


def main() -> None:
    """Answer texts with their sections until the input ends."""
    begin()
    while (text := read_frame(sys.stdin.buffer)) is not None:
        try:
            sections = [(part.title, part.anchor, part.html, part.text) for part in render(text).sections]
        except (RecursionError, MemoryError, ValueError):
            # Nesting beyond what the parser can hold; who asked is told that it cannot be rendered.
            sections = None
        say(sections)


if __name__ == "__main__":
    main()
