"""Log formatters and a filter that masks secrets. Every record carries the id of its request."""

import contextvars
import logging
import re

from pythonjsonlogger.json import JsonFormatter

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

MASK = "…"
# A secret follows these words: feed URLs, password links, credentials in a header.
SECRET_AFTER = re.compile(
    r"(?i)(/feeds/|/readers/(?:confirm/|leave/)?|/key/|/password/|/invitations?/|bearer\s+|basic\s+)([^\s/\"'?&]{12,})"
)
CREDENTIALS = re.compile(r"(?i)(\w[\w+.-]*://[^\s/@:]*):[^\s/@]+@")
QUERY = re.compile(r"(/[^\s\"'?]*)\?[^\s\"']+")
# A long path segment with capitals (slugs have none) or of hexadecimal digits only is a key of some kind.
KEY_SEGMENT = re.compile(r"(?<=/)(?:(?=[\w-]*[A-Z])[\w-]{20,}|[0-9a-f]{24,}(?![\w-]))")


def mask(text: str) -> str:
    """Return a text without tokens in paths, query strings and credentials."""
    text = CREDENTIALS.sub(rf"\1:{MASK}@", text)
    text = SECRET_AFTER.sub(rf"\1{MASK}", text)
    text = KEY_SEGMENT.sub(MASK, text)
    return QUERY.sub(rf"\1?{MASK}", text)


class MaskingFilter(logging.Filter):
    """Adds the request id to every record and masks secrets in its message. Refused requests get no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.msg, record.args = mask(record.getMessage()), None
        # Otherwise anyone could fill the log with forged requests.
        if getattr(record, "status_code", 500) < 500:  # an attribute of Django's records of responses
            record.exc_info = record.exc_text = None
        return True


class JsonLogFormatter(JsonFormatter):
    """One JSON object per line: at, level, logger, message, request_id and extra attributes; tracebacks are masked."""

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
            rename_fields={"asctime": "at", "levelname": "level", "name": "logger"},
            datefmt="%Y-%m-%dT%H:%M:%S%z",
            # Django and gunicorn attach whole objects to some records.
            reserved_attrs=[*RESERVED_FIELDS, "request", "server_time", "status_code"],
            json_ensure_ascii=False,
        )

    def formatException(self, ei: object) -> str:  # noqa: N802  # the name in logging.Formatter
        return mask(super().formatException(ei))  # type: ignore[arg-type]


class LineFormatter(logging.Formatter):
    """One readable line per record, for a terminal; tracebacks are masked."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name}: {message}", style="{")

    def formatException(self, ei: object) -> str:  # noqa: N802  # the name in logging.Formatter
        return mask(super().formatException(ei))  # type: ignore[arg-type]


# Attributes that logging sets on every record.
RESERVED_FIELDS = [
    *vars(logging.LogRecord("", 0, "", 0, "", (), None)),
    "asctime",
    "message",
    "taskName",
    "color_message",
]
