"""The parser for each kind of file. Alertmanager alerts open incidents and are parsed in their own module."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from validation.importers import airflow, dbt, great_expectations, openlineage, soda
from validation.importers.parsing import Json
from validation.importers.results import ExternalResult, UnreadableFileError


class Kind(NamedTuple):
    """A tool whose files are imported: its name in results, its display name, and its parser."""

    tool: str
    label: str
    read: Callable[[Json], list[ExternalResult]]


KINDS: Mapping[str, Kind] = {
    "dbt": Kind(dbt.TOOL, "dbt", dbt.read),
    "great-expectations": Kind(great_expectations.TOOL, "Great Expectations", great_expectations.read),
    "soda": Kind(soda.TOOL, "Soda", soda.read),
    "airflow": Kind(airflow.TOOL, "Airflow", airflow.read),
    "dagster": Kind("dagster", "Dagster", partial(airflow.read, tool="dagster")),
    "prefect": Kind("prefect", "Prefect", partial(airflow.read, tool="prefect")),
    "openlineage": Kind(openlineage.TOOL, "OpenLineage", openlineage.read),
}


def parsed(data: bytes) -> Json:
    """Return the JSON of a UTF-8 file, with or without a byte-order mark; raise UnreadableFileError otherwise."""
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as broken:
        raise UnreadableFileError("the file is not UTF-8") from broken
    except RecursionError as broken:
        raise UnreadableFileError("the file is nested too deeply") from broken
    except ValueError as broken:
        raise UnreadableFileError(f"the file is not JSON: {broken}") from broken


def read(kind: str, *, document: Json) -> list[ExternalResult]:
    """Return the results of a file of this kind; raise UnreadableFileError if it is a different kind."""
    return KINDS[kind].read(document)
