"""Read a large JSON object piece by piece, with one entry at a time in memory."""

import codecs
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from validation.importers.parsing import Json
from validation.importers.results import UnreadableFileError

GZIP = b"\x1f\x8b"
PIECE_BYTES = 1024 * 1024
MAX_ENTRY_CHARACTERS = 16 * 1024 * 1024
SPACE = re.compile(r"[ \t\n\r]*")
NUMBER_ENDS = tuple(",}] \t\n\r")
DECODER = json.JSONDecoder()


class Entry(NamedTuple):
    """One entry of a section of the object. `key` is empty if the section is not an object itself: then it is one entry."""

    section: str
    key: str
    value: Json


def uncompressed(pieces: Iterable[bytes], *, max_bytes: int) -> Iterator[bytes]:
    """Return the pieces of a file, unpacked if it is gzip; raise UnreadableFileError if it is damaged or unpacks to more."""
    total = 0
    for piece in _unpacked(iter(pieces)):
        total += len(piece)
        if total > max_bytes:
            raise UnreadableFileError(f"the file has more than {max_bytes // 1024 // 1024} MiB when unpacked")
        yield piece


def entries(pieces: Iterable[bytes]) -> Iterator[Entry]:
    """Return the entries of each section of a JSON object in UTF-8, in the order of the file.

    Raises UnreadableFileError if the file is not such an object, or one entry is larger than 16 million characters.
    """
    text = _Text(pieces)
    text.expect("{")
    for section in text.fields():
        if text.peek() == "{":
            text.expect("{")
            for key in text.fields():
                yield Entry(section, key, text.value())
        else:
            yield Entry(section, "", text.value())
    if text.peek():
        raise UnreadableFileError("the file is not JSON: there is text after its end")


class _Text:
    """The text of a file with a position, of which only what has not been read yet is in memory."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text, self._position, self._ended = "", 0, False

    def fields(self) -> Iterator[str]:
        """Return the keys of an object after its opening brace; the caller reads the value after each one."""
        if self.peek() == "}":
            self.expect("}")
            return
        while True:
            key = self.value()
            if not isinstance(key, str):
                raise UnreadableFileError("the file is not JSON: a key is not a string")
            self.expect(":")
            yield key
            if self.peek() == "}":
                self.expect("}")
                return
            self.expect(",")

    def peek(self) -> str:
        """Return the next character after spaces, or "" at the end of the file."""
        while True:
            space = SPACE.match(self._text, self._position)
            self._position = space.end() if space else self._position
            if self._position < len(self._text):
                return self._text[self._position]
            if not self._read(PIECE_BYTES):
                return ""

    def expect(self, character: str) -> None:
        """Read one character; raise UnreadableFileError if it is another one."""
        if self.peek() != character:
            raise UnreadableFileError(f"the file is not JSON: it has no “{character}” where one belongs")
        self._position += 1

    def value(self) -> Json:
        """Read one value. Reads on while the value may be cut off at the end of what is in memory."""
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._position)
            except RecursionError as broken:
                raise UnreadableFileError("the file is nested too deeply") from broken
            except ValueError as broken:
                unread = len(self._text) - self._position
                if unread > MAX_ENTRY_CHARACTERS:
                    raise UnreadableFileError("the file is not JSON, or one entry of it is too large") from broken
                if not self._read(max(PIECE_BYTES, unread)):
                    raise UnreadableFileError("the file is not JSON, or it is cut off") from broken
                continue
            # A number that is cut off is a shorter number: it ends only where something else begins.
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and self._text[end : end + 1] not in NUMBER_ENDS and self._read(PIECE_BYTES):
                continue
            self._position = end
            return value

    def _read(self, characters: int) -> bool:
        """Read on by about this many characters; return False at the end of the file."""
        parts = [self._text[self._position :]]
        wanted = len(parts[0]) + characters
        length = len(parts[0])
        while length < wanted and not self._ended:
            piece = next(self._pieces, None)
            self._ended = piece is None
            try:
                parts.append(self._decode(piece or b"", self._ended))
            except UnicodeDecodeError as broken:
                raise UnreadableFileError("the file is not UTF-8") from broken
            length += len(parts[-1])
        grown = length > len(parts[0])
        self._text, self._position = "".join(parts), 0
        return grown


def _unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    while len(start) < len(GZIP) and (piece := next(pieces, None)) is not None:
        start += piece
    if not start.startswith(GZIP):
        yield start
        yield from pieces
        return
    inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    packed, following = start, True
    try:
        while packed or following:
            if inflate.eof:  # another member of the same file
                inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
            if packed:
                yield inflate.decompress(packed, PIECE_BYTES)
            packed = inflate.unused_data if inflate.eof else inflate.unconsumed_tail
            if not packed:
                piece = next(pieces, None)
                packed, following = piece or b"", piece is not None
    except zlib.error as broken:
        raise UnreadableFileError("the gzip file is damaged") from broken
    if not inflate.eof:
        raise UnreadableFileError("the gzip file is cut off")
