"""Build the dbt project beside this file and write what two independent programs say about it (run with dbt's own Python).

python build.py TARGET: `dbt build` and `dbt source freshness` of the project `shop` into TARGET, offline, in a DuckDB file; then
TARGET/parsed.json with the manifest as dbt-artifacts-parser reads it.
"""

import gc
import json
import os
import sys
from importlib import import_module
from pathlib import Path

# Garbage collection takes a tenth of the time: almost all objects are dbt's own code, which stays.
gc.disable()

from dbt.cli.main import dbtRunner

PROJECT = Path(__file__).parent / "shop"


def build(target):
    os.environ["SHOP_DATABASE"] = str(target / "shop.duckdb")
    options = [
        "--project-dir",
        PROJECT,
        "--profiles-dir",
        PROJECT,
        "--target-path",
        target,
        "--log-path",
        target / "logs",
    ]
    for command in (["build"], ["source", "freshness"]):
        # Both fail on purpose: a test fails, and a source is too old.
        assert dbtRunner().invoke([*command, "--quiet", *map(str, options)]).exception is None


def parse(target):
    document = json.loads((target / "manifest.json").read_text())
    version = document["metadata"]["dbt_schema_version"].rpartition("/v")[2].removesuffix(".json")
    # Only the models of this version: those of all versions take a second to load.
    models = import_module(f"dbt_artifacts_parser.parsers.manifest.manifest_v{version}")
    manifest = getattr(models, f"ManifestV{version}")(**document)
    return {
        "schema": manifest.metadata.dbt_schema_version,
        "nodes": {key: node.path for key, node in {**manifest.nodes, **manifest.sources}.items()},
        "parents": {key: sorted(parents) for key, parents in manifest.parent_map.items()},
        "groups": {group.name: group.owner.email for group in manifest.groups.values()},
        "exposures": {key: exposure.url for key, exposure in manifest.exposures.items()},
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    build(folder)
    (folder / "parsed.json").write_text(json.dumps(parse(folder)))
