"""Which reader reads which kind of file."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from validation.importers import airflow, alertmanager, dbt, great_expectations, soda
from validation.importers.reading import Json
from validation.importers.results import ExternalResult, Unreadable


class Kind(NamedTuple):
    """A tool whose files are read: its name for people, and its reader."""

    label: str
    read: Callable[[Json], list[ExternalResult]]


KINDS: Mapping[str, Kind] = {
    "dbt": Kind("dbt", dbt.read),
    "great-expectations": Kind("Great Expectations", great_expectations.read),
    "soda": Kind("Soda", soda.read),
    "airflow": Kind("Airflow", airflow.read),
    "alertmanager": Kind("Alertmanager", alertmanager.read),
}


def parsed(data: bytes) -> Json:
    """Return the JSON of a file, UTF-8 with or without a byte-order mark; raise Unreadable for anything else."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as broken:
        raise Unreadable("the file is not UTF-8") from broken
    except RecursionError as broken:
        raise Unreadable("the file is nested too deeply") from broken
    except ValueError as broken:
        raise Unreadable(f"the file is not JSON: {broken}") from broken


def read(kind: str, document: Json) -> list[ExternalResult]:
    """Return the results of a file of this kind; raise Unreadable where it is not one."""
    return KINDS[kind].read(document)
