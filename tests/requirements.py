"""Checks the compiled requirements: every line pinned with hashes, no registry named, nothing of pyproject.toml missing."""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def problems():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    required, extras = project["dependencies"], project["optional-dependencies"]
    wanted = {
        "requirements.txt": required,
        "requirements-local.txt": [*required, *extras["local"], *extras["planner"]],
        "requirements-planner.txt": [*required, *extras["planner"]],
        "requirements-dev.txt": [*required, *extras["local"], *extras["planner"], *extras["dev"]],
        "requirements-dbt.txt": (ROOT / "requirements-dbt.in").read_text().splitlines(),
    }
    for name, dependencies in wanted.items():
        text = (ROOT / name).read_text()
        pinned = {}
        for entry in re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", text).strip()):
            actual = re.match(r"([A-Za-z0-9._-]+)==(\S+)", entry)
            if actual is None or "--hash=sha256:" not in entry:
                yield f"{name}: not pinned with a hash: {entry.splitlines()[0]}"
            else:
                pinned[actual[1].lower()] = actual[2]
        for dependency in dependencies:
            if re.match(r"[A-Za-z0-9._-]+", dependency)[0].lower() not in pinned:
                yield f"{name}: {dependency} of pyproject.toml is missing; run make lock"
        if "psycopg" in pinned:
            yield f"{name}: psycopg 3 beside psycopg2: Django would silently use it"
        if re.search(r"https?://|--index|--extra-index|--find-links", text):
            yield f"{name}: it names an index"


if __name__ == "__main__":
    actual = list(problems())
    sys.stdout.write("".join(f"{problem}\n" for problem in actual))
    sys.exit(bool(actual))
