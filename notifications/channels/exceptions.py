"""Why a message can never be delivered."""


class UndeliverableError(Exception):  # it is read as a sentence: the message is undeliverable
    """Trying again would not help; the message says why."""
