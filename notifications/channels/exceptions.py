"""Exceptions of channels."""


class UndeliverableError(Exception):
    """The message can never be delivered; the text says why."""


class AddressError(Exception):
    """An address is not valid for its channel; the text says why."""
