"""`python -m tests.counts [REVISION]`: the number of tests by folder, and the tests of the revision (HEAD) that are gone."""

import collections
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def collected(checkout):
    """Return the names of all tests of a checkout."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "--disable-warnings"]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout[-2_000:] + done.stderr[-2_000:])
    return collections.Counter(line for line in done.stdout.splitlines() if re.match(r"tests/\S+\.py::", line))


def folder(name):
    return "/".join(name.partition("::")[0].split("/")[:2])


def compare(old, new):
    """Return lines: the counts of each folder before and now, and each name that was there more often."""
    before, now = (collections.Counter(folder(name) for name in names.elements()) for names in (old, new))
    lines = [f"{place:<28} {before[place]:>6} {now[place]:>6}" for place in sorted(before | now)]
    removed = sorted((old - new).elements())
    return [*lines, f"{'all':<28} {old.total():>6} {new.total():>6}", "", f"{len(removed)} gone", *removed]


def main(revision="HEAD"):
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "checkout"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", str(checkout), revision], check=True)
        try:
            old = collected(checkout)
        finally:
            subprocess.run([*git, "remove", "--force", str(checkout)], check=True)
    print("\n".join(compare(old, collected(ROOT))))


if __name__ == "__main__":
    main(*sys.argv[1:])
