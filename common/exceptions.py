"""Errors that services raise: each carries a message for people and maps to one HTTP status."""


class DomainError(Exception):
    """The current state does not allow the change (HTTP 409); the message says why.

    `details` are further fields of the API's answer, such as the text that a stale edit would have overwritten.
    """

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.details = details


class NotAllowedError(DomainError):
    """The user may not do this (HTTP 403)."""


class InvalidInputError(DomainError):
    """The input is invalid (HTTP 400); `problems` are the messages by field."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(reasons)}" for field, reasons in problems.items()))
        self.problems = problems
