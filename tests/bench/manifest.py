"""`python -m tests.bench manifest`: a dbt manifest of 100 MB with 20,000 nodes through `manage.py import_results`."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection

from lineage.models import DbtNode, Edge
from tests.factories import make_engineer, make_pipeline
from validation.models import MappingRule

NODES, PIPELINES, MEGABYTES = 20_000, 200, 100
MAX_MEGABYTES, MAX_SECONDS = 200, 30
# The peak memory of this process alone: getrusage would include that of the one which started it.
IMPORT = """
import sys
import time
from pathlib import Path
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "import_results", "dbt", sys.argv[1]])
print(Path("/proc/self/status").read_text(), "processor:", time.process_time())
"""


def write_manifest(path):
    """Write a manifest in which each node reads two of the pipeline before its own."""
    parents = {n: [f"model.big.m{n - PIPELINES * k - 1}" for k in (0, 1) if n > PIPELINES * k] for n in range(NODES)}
    code = "select 1 -- é\n" * (MEGABYTES * 1_000_000 // NODES // 20)
    metadata = {"dbt_schema_version": "https://schemas.getdbt.com/dbt/manifest/v12.json", "project_name": "big"}
    with path.open("w") as file:
        file.write(f'{{"metadata": {json.dumps(metadata)}, "nodes": {{')
        for n in range(NODES):
            node = {
                "resource_type": "model",
                "name": f"m{n}",
                "package_name": "big",
                "original_file_path": f"models/p{n * PIPELINES // NODES}/m{n}.sql",
                "raw_code": code,
                "depends_on": {"nodes": parents[n]},
            }
            file.write(f'{", " if n else ""}"model.big.m{n}": {json.dumps(node)}')
        file.write(f'}}, "parent_map": {json.dumps({f"model.big.m{n}": parents[n] for n in parents})}}}')


def measure():
    one, two = make_engineer("Owner"), make_engineer("Second")
    for n in range(PIPELINES):
        pipeline = make_pipeline(f"Pipeline {n:03}", primary=one, secondary=two, position=n)
        MappingRule.objects.create(tool="dbt", pattern=f"models/p{n}/*", pipeline=pipeline)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "manifest.json"
        write_manifest(path)
        megabytes = path.stat().st_size / 1_000_000
        test_database = (
            urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
        )
        for what in ("new", "again"):
            began = time.perf_counter()
            run = subprocess.run(
                [sys.executable, "-c", IMPORT, path],
                env={**os.environ, "DATABASE_URL": test_database},
                capture_output=True,
                text=True,
                check=True,
            )
            seconds = time.perf_counter() - began
            memory = int(re.search(r"VmHWM:\s+(\d+) kB", run.stdout)[1]) / 1024
            processor = float(re.search(r"processor: ([0-9.]+)", run.stdout)[1])
            print(
                f"| a manifest of {megabytes:.0f} MB, {what} | {seconds:.1f} s, {processor:.1f} s of processor time, {memory:.0f} MB | "
                f"target {MAX_SECONDS} s, {MAX_MEGABYTES} MB; {DbtNode.objects.count():,} nodes, {Edge.objects.count()} edges |"
            )
