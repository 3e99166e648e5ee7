"""The reader of large JSON files against Python's own, however the file is cut into pieces."""

import gzip
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validation.importers import json_stream
from validation.importers.json_stream import Entry, entries, uncompressed
from validation.importers.results import UnreadableFileError

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
DOCUMENTS = st.dictionaries(st.text(), VALUES, max_size=5)


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def expected(document):
    for section, value in document.items():
        if isinstance(value, dict):
            yield from (Entry(section, key, inner) for key, inner in value.items())
        else:
            yield Entry(section, "", value)


@given(document=DOCUMENTS, size=st.integers(1, 40), indent=st.sampled_from([None, 1]), pack=st.booleans())
def test_the_entries_are_those_that_pythons_reader_gives(document, size, indent, pack):
    data = json.dumps(document, indent=indent, ensure_ascii=not pack).encode("utf-8", "surrogatepass")
    try:
        data.decode()
    except UnicodeDecodeError:
        return
    pieces = cut(gzip.compress(data) if pack else data, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "PIECE_BYTES", size)
        assert list(entries(uncompressed(pieces, max_bytes=10**6))) == list(expected(document))


@given(document=DOCUMENTS, at=st.integers(0, 10**6))
def test_a_file_that_is_cut_off_is_refused(document, at):
    data = json.dumps(document).encode()
    with pytest.raises(UnreadableFileError):
        list(entries([data[: at % len(data)]]))


def test_a_file_of_many_gzip_members_is_read_at_once():
    packed = gzip.compress(b"") * 50_000
    started = time.perf_counter()
    assert b"".join(uncompressed(cut(packed, json_stream.PIECE_BYTES), max_bytes=1)) == b""
    assert time.perf_counter() - started < 0.6


def test_several_gzip_members_are_one_file():
    packed = gzip.compress(b'{"a": {"b"') + gzip.compress(b": 1}}")
    assert list(entries(uncompressed([packed], max_bytes=100))) == [Entry("a", "b", 1)]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (gzip.compress(b'{"a": 1}', mtime=0)[:-3], "cut off"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
        (gzip.compress(b" " * 3_000_000), "more than 1 MiB when unpacked"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"a": \xff}', "not UTF-8"),
        (b'{"a": 1} {', "text after its end"),
        (b'{"a" 1}', "no “:”"),
        (b"{1: 1}", "a key is not a string"),
        (b"[]", "no “{”"),
        (b'{"a": nothing}', "not JSON"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_a_damaged_file_is_refused_with_the_reason(data, why):
    with pytest.raises(UnreadableFileError, match=why):
        list(entries(uncompressed([data], max_bytes=1024 * 1024)))


def test_an_entry_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(json_stream, "MAX_ENTRY_CHARACTERS", 1000)
    monkeypatch.setattr(json_stream, "PIECE_BYTES", 100)
    with pytest.raises(UnreadableFileError, match="too large"):
        list(entries(cut(b'{"a": {"b": "' + b"x" * 5000, 100)))
