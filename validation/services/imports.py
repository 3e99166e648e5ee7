"""Import the files of other tools, which arrive as bytes, in pieces, and may be gzip."""

import contextlib
import datetime as dt
import threading
from collections.abc import Iterable, Iterator
from itertools import chain

from common.exceptions import InvalidInputError
from validation.importers import dbt, openlineage
from validation.importers.files import KINDS, parsed
from validation.importers.json_stream import PIECE_BYTES, uncompressed
from validation.importers.manifest import is_manifest, read_manifest
from validation.importers.results import UnreadableFileError
from validation.services.external_results import ImportSummary, record_file, record_manifest
from validation.services.openlineage import record_events

MAX_FILE_BYTES = 32 * 1024 * 1024
# A dbt manifest is read piece by piece and may be larger than other files.
MAX_MANIFEST_BYTES = 128 * 1024 * 1024
MAX_UNPACKED_BYTES = 512 * 1024 * 1024
# Reading a hostile manifest takes up to 100 MB. Recording 256 KiB of events takes most of a second of processor time, during which
# short requests wait for the interpreter. So a process reads one large file at a time.
LARGE_FILE_BYTES = 256 * 1024
# How long the next large file waits before it is refused.
MAX_WAIT_SECONDS = 5.0
_large_file_lock = threading.Lock()


class ImportBusyError(Exception):
    """This process is reading another large file."""


def import_file(kind: str, *, pieces: Iterable[bytes], at: dt.datetime) -> ImportSummary:
    """Import a tool's file, gzip or not. A file of dbt may be a manifest, which is read piece by piece.

    Raises InvalidInputError for `file` if it is not of this kind, has an unsupported version, or is too large; then nothing
    is recorded. Raises ImportBusyError for a large file while another is being read.
    """
    if kind not in KINDS:
        raise InvalidInputError({"kind": [f"“{kind}” is not one of {', '.join(KINDS)}."]})
    try:
        unpacked = uncompressed(pieces, max_bytes=MAX_UNPACKED_BYTES)
        start = _start(unpacked)
        with _one_large_file(start):
            if kind == dbt.TOOL and is_manifest(start):
                return record_manifest(read_manifest(chain((start,), unpacked)), at=at)
            document = parsed(_joined(start, unpacked))
            if kind == openlineage.TOOL:
                return record_events(openlineage.read_events(document), at=at)
            return record_file(kind, document=document, at=at)
    except UnreadableFileError as unreadable:
        raise InvalidInputError({"file": [str(unreadable)]}) from unreadable


@contextlib.contextmanager
def _one_large_file(start: bytes) -> Iterator[None]:
    """Hold a lock of this process while a large file is read; `start` is its first piece."""
    if len(start) < LARGE_FILE_BYTES:
        yield
        return
    if not _large_file_lock.acquire(timeout=MAX_WAIT_SECONDS):
        raise ImportBusyError
    try:
        yield
    finally:
        _large_file_lock.release()


def _start(pieces: Iterator[bytes]) -> bytes:
    start = b""
    while len(start) < PIECE_BYTES and (piece := next(pieces, None)) is not None:
        start += piece
    if not start:
        raise UnreadableFileError("the file is empty")
    return start


def _joined(start: bytes, pieces: Iterable[bytes]) -> bytes:
    data = bytearray(start)
    for piece in pieces:
        data += piece
        if len(data) > MAX_FILE_BYTES:
            raise UnreadableFileError(f"the file has more than {MAX_FILE_BYTES // 1024 // 1024} MiB")
    return bytes(data)
