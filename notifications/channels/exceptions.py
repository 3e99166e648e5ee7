"""Exceptions of channels, and what is stored of an error."""

MAX_PROBLEM_LENGTH = 500


class UndeliverableError(Exception):
    """The message can never be delivered; the text says why."""


class GoneError(UndeliverableError):
    """The address no longer exists, so its contact method is turned off. The method shows `reason`, or else the text."""

    def __init__(self, text: str = "", *, reason: str = "") -> None:
        super().__init__(text)
        self.reason = reason


class AddressError(Exception):
    """An address is not valid for its channel; the text says why."""


class RetryLaterError(Exception):
    """The message must be retried after at least `seconds`; the text says why."""

    def __init__(self, text: str, *, seconds: float = 0) -> None:
        super().__init__(text)
        self.seconds = seconds


def problem_text(text: str) -> str:
    """Return what a `problem` column stores of a text: without NUL, which it cannot hold, and at most 500 characters."""
    return text.replace("\0", "")[:MAX_PROBLEM_LENGTH]


def describe_error(error: Exception) -> str:
    """Return what a `problem` column stores of an error: its text, or a general text if it has none."""
    return problem_text(str(error)) or "Sending failed. See the log for details."
