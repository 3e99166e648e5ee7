"""The demo on a healthy warehouse, for the tests of the demo."""

import datetime as dt

import pytest

from examples.warehouse import grow
from handbook.format.reader import read_handbook
from oncall_site.demo import build_demo
from tests.factories import SEED, make_engineer, make_pipeline
from tests.snapshots import build_once
from validation.domain.suggestions import suggest_checks
from validation.services.checks import create_suggested_checks

DAY = dt.date(2026, 3, 31)
NOON = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="session")
def healthy_warehouse(tmp_path_factory):
    """Return the bytes of a healthy warehouse."""
    path = tmp_path_factory.mktemp("healthy") / "warehouse.sqlite"
    grow(path, until=DAY)
    return path.read_bytes()


@pytest.fixture(scope="session")
def demo_path(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "warehouse.sqlite"


def make_pipelines(a, b):
    """Create the handbook's pipelines with the checks that the import suggests, without runbooks."""
    for runbook in read_handbook(SEED.read_bytes()).runbooks:
        pipeline = make_pipeline(f"{runbook.name} ({runbook.audience})", primary=a, secondary=b)
        section = next(section for section in runbook.sections if section.title == "Metrics Validation")
        create_suggested_checks({pipeline: suggest_checks(section.markdown, pipeline=runbook.name)})


@pytest.fixture
def built_demo(db, demo_path, healthy_warehouse):
    """Build the demo on a healthy warehouse; return the path of the warehouse."""
    demo_path.write_bytes(healthy_warehouse)

    def build():
        make_pipelines(make_engineer("Engineer A"), make_engineer("Engineer B"))
        build_demo(demo_path, by=make_engineer("Admin", is_staff=True), at=NOON)

    build_once(("demo", demo_path), build)
    return demo_path
