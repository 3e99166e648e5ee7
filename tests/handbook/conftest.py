"""The example handbook without its runbooks: for an import, runbooks and their checks are half of the work."""

import pytest

from tests.factories import SEED


@pytest.fixture(scope="session")
def schedule(tmp_path_factory):
    """Return the path of a handbook with the owners, the rotation and the policies of the example."""
    text, separator, _ = SEED.read_text().partition("\n---\n\n# Runbooks for Pipelines")
    assert separator
    path = tmp_path_factory.mktemp("schedule") / "handbook.md"
    path.write_text(text)
    return path
