"""Small files in the other tools' formats, written for these tests."""

import json
from pathlib import Path


def path_of(name):
    """Return the path of a sample, named without its ending."""
    return Path(__file__).parent / f"{name}.json"


def sample(name):
    """Return a sample, parsed."""
    return json.loads(path_of(name).read_text())
