"""Every change of state about people, a file for each noun."""

from people.commands.attempts import Busy, forget_attempts, forgive_attempt, reserve_attempt
from people.commands.links import ask_for_password, invite, set_password_by_link
from people.commands.people import (
    TOKENS_A_PERSON,
    NewToken,
    change_profile,
    create_token,
    engineers_named,
    note_use,
    record_use,
    remove_second_factor,
    revoke_token,
    set_password,
)

__all__ = [
    "TOKENS_A_PERSON",
    "Busy",
    "NewToken",
    "ask_for_password",
    "change_profile",
    "create_token",
    "engineers_named",
    "forget_attempts",
    "forgive_attempt",
    "invite",
    "note_use",
    "record_use",
    "remove_second_factor",
    "reserve_attempt",
    "revoke_token",
    "set_password",
    "set_password_by_link",
]
