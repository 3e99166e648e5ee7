"""Rendered texts that a process reuses until the facts behind them change."""

import threading
from collections import OrderedDict


class TextCache:
    """The texts of one process, at most `max_bytes`; the least recently used are dropped first.

    A key must contain everything that the text depends on: the version of the facts, the reader, the query.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.size = 0
        self._lock = threading.Lock()
        self._texts: OrderedDict[str, bytes] = OrderedDict()

    def find(self, key: str) -> str | None:
        """Return the text of a key, or None."""
        with self._lock:
            text = self._texts.get(key)
            if text is not None:
                self._texts.move_to_end(key)
        return None if text is None else text.decode()

    def store(self, key: str, text: str) -> None:
        """Store a text."""
        encoded = text.encode()
        with self._lock:
            self.size += len(encoded) - len(self._texts.pop(key, b""))
            self._texts[key] = encoded
            while self.size > self.max_bytes:
                _, oldest = self._texts.popitem(last=False)
                self.size -= len(oldest)

    def clear(self) -> None:
        """Remove all texts."""
        with self._lock:
            self._texts.clear()
            self.size = 0
