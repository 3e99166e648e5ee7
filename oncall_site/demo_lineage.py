"""The demo's lineage: a dbt manifest of the warehouse, and a reader page for investors."""

import datetime as dt

from django.conf import settings
from django.urls import reverse

from examples.warehouse import AGGREGATE_GROWTH, AGGREGATE_PROFIT, ENGAGEMENT
from lineage.models import DbtProject
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from readiness.services.readers import create_link, write_note
from validation.importers.manifest import read_manifest
from validation.services.external_results import record_manifest

MANIFEST = settings.BASE_DIR / "examples" / "dbt_manifest.json"
PROJECT = "demo_warehouse"
READERS_PAGE = "Investor numbers"
READERS_PIPELINES = (AGGREGATE_PROFIT, AGGREGATE_GROWTH, ENGAGEMENT)
NOTE = "One cohort’s logs are being loaded again."


def build_lineage(*, by: User, at: dt.datetime) -> str:
    """Import the manifest and create the reader page; return its path."""
    import_manifest(at=at)
    pipelines = {row.match_key: row for row in Pipeline.objects.all()}
    shown = [pipelines[match_key(name)] for name in READERS_PIPELINES]
    write_note(pipelines[match_key(ENGAGEMENT)], text=NOTE, by=by, at=at)
    return reverse("readers_page", args=[create_link(name=READERS_PAGE, pipelines=shown, by=by).secret])


def import_manifest(*, at: dt.datetime) -> None:
    """Import the manifest, as dbt sends it after each nightly run."""
    record_manifest(read_manifest([MANIFEST.read_bytes()]), at=at)


def import_manifest_again(*, at: dt.datetime) -> None:
    """Import the manifest again, so that its edges do not fade; do nothing on a site without it."""
    if DbtProject.objects.filter(name=PROJECT).exists():
        import_manifest(at=at)
