"""Results of other tools, in the terms of this application."""

import datetime as dt
from dataclasses import dataclass

from validation.domain.results import ResultStatus

__all__ = ["ExternalResult", "ResultStatus", "UnreadableFileError"]


class UnreadableFileError(Exception):
    """A file of an unsupported version or with malformed content; the message says what is wrong and where."""


@dataclass(frozen=True, slots=True)
class ExternalResult:
    """One entry of another tool's file.

    `key` identifies the same thing in every run of the tool and is unique in its file. `at` is None if the file has no
    instant. `period` is the instant of the data that was processed, if it is not that of the run: a backfill runs today
    for a date in the past. `subject`, `column` and `measure` describe what was measured: a table, model, source or DAG;
    its column; the kind of number. `run` identifies the run if the result is of a whole pipeline run. `is_stale` is True
    if nothing was updated because something upstream failed.
    """

    tool: str
    key: str
    name: str
    status: ResultStatus
    value: float | None
    message: str
    at: dt.datetime | None
    subject: str = ""
    column: str = ""
    measure: str = ""
    run: str = ""
    period: dt.datetime | None = None
    is_stale: bool = False
