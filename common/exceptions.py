"""The one exception by which a command says no, with a reason a person can read."""


class DomainError(Exception):
    """The state does not allow what was asked; the message says why. The API answers it with 409.

    `details` are further fields of that answer, such as the text that a stale edit would have overwritten.
    """

    def __init__(self, reason: str, **details: object) -> None:
        super().__init__(reason)
        self.details = details


class NotAllowedError(DomainError):
    """This person may not do it; the API answers it with 403."""


class InvalidInputError(DomainError):
    """What was given is wrong in itself, field by field; the API answers it with 400."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(reasons)}" for field, reasons in problems.items()))
        self.problems = problems
