"""A dbt project that dbt itself built, once for the session."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories import make_pipeline

BUILD = Path(__file__).parent.parent / "dbt" / "build.py"


@pytest.fixture(scope="session")
def dbt_target(tmp_path_factory):
    """Return the folder with what dbt wrote: a failing test, a model skipped after it, a source that is too old, an exposure."""
    target = tmp_path_factory.mktemp("dbt")
    python = Path(sys.prefix) / "dbt" / "bin" / "python"
    run = subprocess.run([python, BUILD, target], capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return target


@pytest.fixture
def shop(a, b):
    """Return the pipelines of the three layers."""
    return [
        make_pipeline(name, primary=a, secondary=b, position=i) for i, name in enumerate(["Staging", "Core", "Marts"])
    ]
