"""What people are told of swap requests."""

import datetime as dt

from notifications.commands import Notice, tell
from notifications.models import Message
from scheduling.engine.clock import day_in_words
from scheduling.models import SwapRequest
from scheduling.notices.words import NEWS, admins, key_of, sentences
from scheduling.queries.swaps import asked_of, waits_for

SWAP_WORDS = {
    SwapRequest.State.ACCEPTED: "is accepted",
    SwapRequest.State.DECLINED: "is declined",
    SwapRequest.State.CANCELLED: "is withdrawn",
    SwapRequest.State.EXPIRED: "has expired",
    SwapRequest.State.VOID: "is void",
}


def tell_swap_asked(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Tell whoever is asked that a request waits for them; who offers is told too where somebody else asked for them."""
    asked = f"{swap.requester} asks you to take the week of {day_in_words(swap.offered_week)}"
    if swap.wanted_week:
        asked += f", for the week of {day_in_words(swap.wanted_week)}"
    people = asked_of(swap)
    text = sentences(
        f"{asked}.", _round(swap), swap.message and f"“{swap.message}”", "Open the page to accept or decline."
    )
    if swap.asked_by_id != swap.requester_id:
        people.append(swap.requester)
        text = f"{swap.asked_by} asks on {swap.requester}’s behalf. {text}"
    notice = Notice(
        "swap-asked",
        event="swap-asked",
        occurrence=str(swap.pk),
        subject=f"Swap asked: {swap.requester}’s week of {day_in_words(swap.offered_week)}",
        text=text,
        path=f"/swaps/{swap.pk}/",
        due_at=at,
        expires_at=swap.expires_at,
    )
    tell(people, notice=notice)


def _round(swap: SwapRequest) -> str:
    if not swap.third_week:
        return ""
    return f"It is a swap of three: {swap.third} gives the week of {day_in_words(swap.third_week)} to {swap.requester}."


def tell_swap_decided(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Tell both parties, or all three, what has become of a request; of one that is accepted, the admins too."""
    state = SwapRequest.State(swap.state)
    accepted = state == SwapRequest.State.ACCEPTED
    parties = [person for person in (swap.requester, swap.counterpart, swap.third) if person]
    by = f"By {swap.decided_by}." if swap.decided_by and swap.decided_by.pk not in {one.pk for one in parties} else ""
    notice = Notice(
        "swap-accepted" if accepted else "swap-over",
        event=f"swap-{state.value}",
        occurrence=str(swap.pk),
        subject=f"The swap of {swap.requester}’s week of {day_in_words(swap.offered_week)} {SWAP_WORDS[state]}",
        text=sentences(_moved(swap) if accepted else _nothing_moved(swap), by, swap.reason),
        path=f"/swaps/{swap.pk}/",
        due_at=at,
        expires_at=at + NEWS,
    )
    tell([*parties, *(admins() if accepted else [])], notice=notice)


def _moved(swap: SwapRequest) -> str:
    names = {one.pk: one for one in (swap.requester, swap.counterpart, swap.third) if one}
    return " ".join(f"{names[move.taker]} now holds the week of {day_in_words(move.week)}." for move in swap.moves())


def _nothing_moved(swap: SwapRequest) -> str:
    asked = f" from {swap.counterpart}" if swap.counterpart else ""
    wanted = f" for the week of {day_in_words(swap.wanted_week)}" if swap.wanted_week else ""
    return f"The request to take the week of {day_in_words(swap.offered_week)}{asked}{wanted} {SWAP_WORDS[SwapRequest.State(swap.state)]}."


def swap_asked_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether a request still waits for who is told of it, or for anybody where it is told to who offers."""
    swap = SwapRequest.objects.filter(pk=key_of(message), expires_at__gt=at).select_related("requester").first()
    if swap is None or swap.state != SwapRequest.State.PENDING:
        return False
    return message.recipient_id == swap.requester_id or waits_for(swap, person=message.recipient)


def swap_accepted_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether an exchange still holds."""
    return SwapRequest.objects.accepted().filter(pk=key_of(message)).exists()
