"""The state of a detector as bytes: a JSON header, then the numbers of its arrays.

Every number is restored unchanged.
"""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

# Maps names to JSON values, arrays of float64, or nested states.
State = dict[str, Any]


def pack(state: State) -> bytes:
    """Return a state as bytes."""
    arrays: list[np.ndarray[Any, Any]] = []
    header = json.dumps(_extract_arrays(state, arrays), separators=(",", ":")).encode()
    return b"".join([len(header).to_bytes(4, "big"), header, *(array.astype("<f8").tobytes() for array in arrays)])


def unpack(data: bytes) -> State:
    """Return the state in the bytes that `pack` returned."""
    start = 4 + int.from_bytes(data[:4], "big")
    header: State = json.loads(data[4:start])
    numbers = np.frombuffer(data, dtype="<f8", offset=start).astype(float)
    return _insert_arrays(header, numbers)


def _extract_arrays(state: State, arrays: list[np.ndarray[Any, Any]]) -> State:
    """Return the state with a placeholder for each array; add the arrays to the list."""
    header: State = {}
    for name, value in state.items():
        if isinstance(value, np.ndarray):
            start = sum(len(array) for array in arrays)
            arrays.append(value)
            header[f"@{name}"] = [start, start + len(value)]
        elif isinstance(value, dict):
            header[f"/{name}"] = _extract_arrays(value, arrays)
        else:
            header[name] = value
    return header


def _insert_arrays(header: State, numbers: np.ndarray[Any, Any]) -> State:
    state: State = {}
    for name, value in header.items():
        if name[0] == "@":
            state[name[1:]] = numbers[value[0] : value[1]].copy()
        elif name[0] == "/":
            state[name[1:]] = _insert_arrays(value, numbers)
        else:
            state[name] = value
    return state


@cache
def code_version() -> str:
    """Return a hash of the detector's source: a state is valid only for the code that created it."""
    digest = hashlib.sha256(np.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
