"""Import the artifacts that dbt writes into folders of this machine, each time they change."""

import datetime as dt
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from common.exceptions import InvalidInputError
from validation.importers import dbt
from validation.importers.json_stream import PIECE_BYTES
from validation.models import ImportedFile
from validation.services.imports import import_file

# The manifest first: it decides the pipelines of the results.
ARTIFACTS = ("manifest.json", "sources.json", "run_results.json")
FILE_SUFFIXES = ("", ".gz")
# dbt may still be writing a file that changed a moment ago.
SETTLE_SECONDS = 2


def import_folders(folders: Iterable[Path], *, at: dt.datetime) -> list[ImportedFile]:
    """Import the artifacts in folders that are new or have changed; return their rows, with an error if one is unreadable.

    A file that cannot be read is not tried again until it changes.
    """
    rows = []
    for folder in folders:
        for name in ARTIFACTS:
            for ending in FILE_SUFFIXES:
                row = _import(folder / f"{name}{ending}", at=at)
                if row is not None:
                    rows.append(row)
    return rows


def _import(path: Path, *, at: dt.datetime) -> ImportedFile | None:
    try:
        status = path.stat()
    except OSError:
        return None
    version = f"{status.st_mtime_ns} {status.st_size}"
    known = ImportedFile.objects.filter(path=str(path)).first()
    if (known and known.version == version) or at.timestamp() - status.st_mtime < SETTLE_SECONDS:
        return None
    error = ""
    try:
        with path.open("rb") as file:
            import_file(dbt.TOOL, pieces=iter(partial(file.read, PIECE_BYTES), b""), at=at)
    except OSError as unreadable:
        error = str(unreadable.strerror)
    except InvalidInputError as invalid:
        error = " ".join(invalid.problems.get("file", [str(invalid)]))
    row, _ = ImportedFile.objects.update_or_create(
        path=str(path), defaults={"version": version, "imported_at": at, "error": error}
    )
    return row
