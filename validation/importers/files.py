"""Which reader reads which kind of file; Alertmanager’s alerts open incidents and are read there."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from validation.importers import airflow, dbt, great_expectations, soda
from validation.importers.parsing import Json
from validation.importers.results import ExternalResult, UnreadableFileError


class Kind(NamedTuple):
    """A tool whose files are read: its name in results and for people, and its reader."""

    tool: str
    label: str
    read: Callable[[Json], list[ExternalResult]]


KINDS: Mapping[str, Kind] = {
    "dbt": Kind(dbt.TOOL, "dbt", dbt.read),
    "great-expectations": Kind(great_expectations.TOOL, "Great Expectations", great_expectations.read),
    "soda": Kind(soda.TOOL, "Soda", soda.read),
    "airflow": Kind(airflow.TOOL, "Airflow", airflow.read),
}


def parsed(data: bytes) -> Json:
    """Return the JSON of a file, UTF-8 with or without a byte-order mark; raise Unreadable for anything else."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as broken:
        raise UnreadableFileError("the file is not UTF-8") from broken
    except RecursionError as broken:
        raise UnreadableFileError("the file is nested too deeply") from broken
    except ValueError as broken:
        raise UnreadableFileError(f"the file is not JSON: {broken}") from broken


def read(kind: str, *, document: Json) -> list[ExternalResult]:
    """Return the results of a file of this kind; raise Unreadable where it is not one."""
    return KINDS[kind].read(document)
