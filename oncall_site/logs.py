"""How the log is written: a JSON object a line, the request's id in each, and no secrets."""

import contextvars
import logging
import re

from pythonjsonlogger.json import JsonFormatter

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

HIDDEN = "…"
# What stands behind these words is a secret: feed addresses, links that set a password, credentials in a header or an address.
FOLLOWED = re.compile(r"(?i)(/feeds/|/key/|/password/|/invitations?/|bearer\s+|basic\s+)([^\s/\"'?&]{12,})")
CREDENTIALS = re.compile(r"(?i)(\w[\w+.-]*://[^\s/@:]*):[^\s/@]+@")
QUERY = re.compile(r"(/[^\s\"'?]*)\?[^\s\"']+")
# A long part of a path with capitals in it, as no slug has, or of hexadecimal digits only: a key of some kind.
SEGMENT = re.compile(r"(?<=/)(?:(?=[\w-]*[A-Z])[\w-]{20,}|[0-9a-f]{24,}(?![\w-]))")


def mask(text: str) -> str:
    """Return a text as it may stand in a log: without tokens in paths, without queries, without credentials."""
    text = CREDENTIALS.sub(rf"\1:{HIDDEN}@", text)
    text = FOLLOWED.sub(rf"\1{HIDDEN}", text)
    text = SEGMENT.sub(HIDDEN, text)
    return QUERY.sub(rf"\1?{HIDDEN}", text)


class MaskingFilter(logging.Filter):
    """Gives every line the id of the request it is about, and takes secrets out of it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; keep it."""
        record.request_id = request_id.get()
        record.msg, record.args = mask(record.getMessage()), None
        return True


class JsonLogFormatter(JsonFormatter):
    """A JSON object a line: at, level, logger, message, request_id, and what the line itself carries; tracebacks masked too."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            # Django hangs the request itself on some of its lines, and gunicorn its own.
            reserved_attrs=[*RESERVED, "request", "server_time", "status_code"],
            json_ensure_ascii=False,
        )

    def formatException(self, ei: object) -> str:  # noqa: N802  # logging's own name
        """Return a traceback without secrets."""
        return mask(super().formatException(ei))  # type: ignore[arg-type]


class LineFormatter(logging.Formatter):
    """A line for a person who looks at a terminal; tracebacks masked too."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatException(self, ei: object) -> str:  # noqa: N802  # logging's own name
        """Return a traceback without secrets."""
        return mask(super().formatException(ei))  # type: ignore[arg-type]


# The attributes of a record that logging itself sets, which are no content of the line.
RESERVED = [*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "asctime", "message", "taskName", "color_message"]
