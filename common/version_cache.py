"""Values that a process computes once for a version of the facts and a period (docs/adr/0029, 0046)."""

import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V")

# Values for the same key at different instants.
MAX_PERIODS_PER_KEY = 8


@dataclass(frozen=True, slots=True)
class ValidityPeriod:
    """The period for which a value is valid if no fact changes.

    `is_past` is True if it was taken from the history: a value for the same instant from the current facts is a different one.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    is_past: bool = False

    def includes(self, at: dt.datetime, *, is_past: bool = False) -> bool:
        """Return True if the value is valid at an instant."""
        return self.is_past == is_past and self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    version: str
    period: ValidityPeriod
    value: V
    size: int


class VersionCache(Generic[V]):
    """A cache in one process of at most `max_bytes`, measured by `size`. It drops the least recently used values first.

    A key must contain everything that a value depends on besides the facts and the time: the reader, the time zone, the query.
    A value larger than an eighth of the cache is not stored: it would push out too many others.
    """

    def __init__(self, *, max_bytes: int, size: Callable[[V], int]) -> None:
        self.max_bytes = max_bytes
        self.bytes = 0
        self._size = size
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[_Entry[V], ...]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def find(
        self,
        key: Hashable,
        *,
        version: str,
        at: dt.datetime,
        is_past: bool = False,
        accept: Callable[[V], bool] = lambda _: True,
    ) -> V | None:
        """Return the value of a key at an instant, or None. Values for which `accept` returns False are skipped."""
        with self._lock:
            for entry in self._entries.get(key, ()):
                if entry.version == version and entry.period.includes(at, is_past=is_past) and accept(entry.value):
                    self._entries.move_to_end(key)
                    return entry.value
        return None

    def store(self, key: Hashable, value: V, *, version: str, period: ValidityPeriod) -> None:
        """Store a value, and drop the values of the key for other versions."""
        entry = _Entry(version, period, value, self._size(value))
        if entry.size > self.max_bytes // 8:
            return
        with self._lock:
            others = self._entries.pop(key, ())
            entries = (entry, *(other for other in others if other.version == version))[:MAX_PERIODS_PER_KEY]
            self._entries[key] = entries
            self.bytes += _total(entries) - _total(others)
            while self.bytes > self.max_bytes:
                _, oldest = self._entries.popitem(last=False)
                self.bytes -= _total(oldest)

    def clear(self) -> None:
        """Remove all values."""
        with self._lock:
            self._entries.clear()
            self.bytes = 0


def _total(entries: tuple[_Entry[V], ...]) -> int:
    return sum(entry.size for entry in entries)
