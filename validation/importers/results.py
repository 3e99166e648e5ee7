"""What another tool says of a pipeline's data, in the words of this site."""

import datetime as dt
from dataclasses import dataclass

from validation.domain.results import ResultStatus

__all__ = ["ExternalResult", "ResultStatus", "UnreadableFileError"]


class UnreadableFileError(Exception):  # it says what the file is, as Refused says what the state is
    """A file that is none of the versions this site reads, or is malformed; the message says what and where."""


@dataclass(frozen=True, slots=True)
class ExternalResult:
    """One entry of another tool's file.

    `key` names the same thing in every run of the tool and is unique in its file; `at` is None where the file has no instant.
    `subject`, `column` and `measure` hint at what was measured: a table, model, source or DAG; a column of it; a kind of number.
    `run` names the run of a whole pipeline that the result is of, if it is of one.
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
