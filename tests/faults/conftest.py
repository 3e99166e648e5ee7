"""What the suite does less of than `make faults`."""

import pytest


@pytest.fixture(autouse=True)
def _small_workers(monkeypatch):
    """Give each worker one process: most tests have two workers, so messages are still sent at the same time."""
    monkeypatch.setattr("tests.faults.workers.POOL_SIZE", 1)
