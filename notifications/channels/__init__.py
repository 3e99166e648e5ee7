"""How a message leaves the site: by e-mail or by chat, each within a limit of time."""

from notifications.channels.bounded import TooSlow
from notifications.channels.problems import Undeliverable
from notifications.channels.sending import send

__all__ = ["TooSlow", "Undeliverable", "send"]
