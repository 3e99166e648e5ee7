"""The process in which runbooks are rendered: frames of JSON in, frames of JSON out, until its input ends."""

import contextlib
import json
import resource
import struct
import sys
from typing import IO, Any

from runbooks.engine.rendering import render

HEADER = struct.Struct(">I")
MEMORY_BYTES = 1 << 30


def read_frame(stream: IO[bytes]) -> Any:
    """Return the next value from a stream, None at its end."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return json.loads(stream.read(HEADER.unpack(header)[0]))


def frame(value: Any) -> bytes:
    """Return a value as a frame: the length of its JSON in four bytes, then the JSON."""
    data = json.dumps(value).encode()
    return HEADER.pack(len(data)) + data


def main() -> None:
    """Answer texts with their sections until the input ends."""
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    say(frame("ready"))
    while (text := read_frame(sys.stdin.buffer)) is not None:
        try:
            sections = [(part.title, part.anchor, part.html, part.text) for part in render(text).sections]
        except (RecursionError, MemoryError, ValueError):
            # Nesting beyond what the parser can hold; who asked is told that it cannot be rendered.
            sections = None
        say(frame(sections))


def say(data: bytes) -> None:
    """Write bytes to who asked, at once."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
