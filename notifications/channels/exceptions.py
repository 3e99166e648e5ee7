"""Delivery exceptions."""


class UndeliverableError(Exception):
    """The message can never be delivered; the text says why."""
