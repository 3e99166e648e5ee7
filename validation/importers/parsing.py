"""Safe access to untrusted JSON: unexpected data raises UnreadableFileError or gives an empty value."""

import datetime as dt
import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias

from common.datetimes import EARLIEST, LATEST
from common.text import character_error, one_line, printable
from validation.importers.results import ExternalResult, ResultStatus, UnreadableFileError

MAX_MESSAGE_LENGTH = 2000
MAX_NAME_LENGTH = 200
MAX_KEY_LENGTH = 250

Json: TypeAlias = object
Record: TypeAlias = Mapping[str, Json]


def record(value: Json, *, location: str) -> Record:
    """Return a JSON object; raise UnreadableFileError for anything else."""
    if not isinstance(value, dict):
        raise UnreadableFileError(f"{location} is not an object")
    return value


def optional_record(value: Json) -> Record:
    """Return an optional JSON object; anything else gives an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Json, *, location: str) -> list[Record]:
    """Return a list of JSON objects; raise UnreadableFileError, with the place, for anything else."""
    if not isinstance(value, list):
        raise UnreadableFileError(f"{location} is not a list")
    return [record(entry, location=f"{location}[{index}]") for index, entry in enumerate(value)]


def text(value: Json, *, limit: int = MAX_NAME_LENGTH) -> str:
    """Return a string that the database can store, cut at `limit`; a name on one line. Numbers become text; anything else is empty."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = _number_text(value)
    if not isinstance(value, str):
        return ""
    clean = one_line(value) if limit <= MAX_NAME_LENGTH else printable(value).strip()
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"


def required_text(value: Json, *, location: str) -> str:
    """Return a required string; raise UnreadableFileError if it is missing."""
    string = text(value, limit=10 * MAX_KEY_LENGTH)
    if not string:
        raise UnreadableFileError(f"{location} is missing")
    return string


def number(value: Json) -> float | None:
    """Return a finite number, or None for anything else, including booleans and numbers that are too large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        result = float(value)
    except OverflowError:
        return None
    return result if math.isfinite(result) else None


def instant(value: Json) -> dt.datetime | None:
    """Return an ISO 8601 instant between 2000 and 2100 in UTC, or None for anything else. One without a zone is in UTC."""
    if not isinstance(value, str):
        return None
    try:
        parsed = dt.datetime.fromisoformat(value.strip())
        aware = parsed.replace(tzinfo=dt.UTC) if parsed.tzinfo is None else parsed.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    # The first and last instants of the calendar cannot be shown in every time zone.
    return aware if EARLIEST <= aware.date() < LATEST else None


def result_key(*parts: str) -> str:
    """Return the non-empty parts joined by slashes, as one line.

    A key that is too long is cut, and control characters are replaced; a digest then keeps it unique.
    """
    key = "/".join(part for part in parts if part)
    if len(key) <= MAX_KEY_LENGTH and not character_error(key, is_line=True):
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{one_line(key)[: MAX_KEY_LENGTH - 13]}~{digest[:12]}"


def parse_status(word: Json, *, statuses: Mapping[str, ResultStatus]) -> tuple[ResultStatus, str]:
    """Return the status for a tool's status word, ignoring case, and a message if the word is unknown."""
    name = text(word)
    status = statuses.get(name.casefold())
    if status is not None:
        return status, ""
    return ResultStatus.UNKNOWN, f"The tool reports the status “{name}”." if name else "The tool reports no status."


def join_sentences(*sentences: str) -> str:
    """Return a message with the non-empty sentences, one per line."""
    return text("\n".join(sentence for sentence in sentences if sentence), limit=MAX_MESSAGE_LENGTH)


def with_unique_keys(
    results: Iterable[ExternalResult], *, details: Iterable[str] | None = None
) -> list[ExternalResult]:
    """Return the results with unique keys.

    If several results share a key, each key gets a digest of the result's entry in `details`, which does not depend on
    the order of the file. Results that still share a key become `key#2` and so on, in file order.
    """
    results = list(results)
    if details is not None:
        results = _with_details(results, list(details))
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    unique: list[ExternalResult] = []
    for result in results:
        key = result.key
        while key in taken:
            seen[result.key] += 1
            key = result_key(f"{result.key}#{seen[result.key] + 1}")
        taken.add(key)
        unique.append(replace(result, key=key))
    return unique


def _with_details(results: list[ExternalResult], details: list[str]) -> list[ExternalResult]:
    by_key: dict[str, set[str]] = {}
    for result, detail in zip(results, details, strict=True):
        by_key.setdefault(result.key, set()).add(detail)
    return [
        replace(result, key=result_key(f"{result.key}~{hashlib.sha256(detail.encode()).hexdigest()[:12]}"))
        if len(by_key[result.key]) > 1
        else result
        for result, detail in zip(results, details, strict=True)
    ]


def canonical(value: Json) -> str:
    """Return JSON as text in which the order of names does not matter; a string stays as it is."""
    try:
        written = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    except (
        RecursionError,
        ValueError,
    ) as error:  # ValueError: an integer with more digits than Python converts to text
        raise UnreadableFileError("a value is nested too deeply or too large") from error
    return text(written, limit=sys.maxsize)


def _number_text(value: float) -> str:
    try:
        return str(value)
    except ValueError:  # an integer with more digits than Python converts to text
        return "a number too large to write"
