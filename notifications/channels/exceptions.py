"""Delivery exceptions."""


class UndeliverableError(Exception):  # it is read as a sentence: the message is undeliverable
    """The message can never be delivered; the text says why."""
