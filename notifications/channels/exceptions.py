"""Exceptions of channels."""


class UndeliverableError(Exception):
    """The message can never be delivered; the text says why."""


class GoneError(UndeliverableError):
    """The address no longer exists, so its contact method is turned off."""


class AddressError(Exception):
    """An address is not valid for its channel; the text says why."""


class RetryLaterError(Exception):
    """The message must be retried after at least `seconds`; the text says why."""

    def __init__(self, text: str, *, seconds: float = 0) -> None:
        super().__init__(text)
        self.seconds = seconds
