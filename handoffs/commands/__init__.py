"""Every change of state about hand-offs, a file for each noun."""

from handoffs.commands.feeds import NewFeed, keep_feeds, make_feed, record_feed_use, revoke_feed
from handoffs.commands.items import ItemChange, add_item, change_item
from handoffs.commands.meetings import keep_handoffs, move_meeting
from handoffs.commands.rules import HandoffRules, set_handoff_rules
from handoffs.commands.sheets import SheetChange, change_sheet, sign_handoff

__all__ = [
    "HandoffRules",
    "ItemChange",
    "NewFeed",
    "SheetChange",
    "add_item",
    "change_item",
    "change_sheet",
    "keep_feeds",
    "keep_handoffs",
    "make_feed",
    "move_meeting",
    "record_feed_use",
    "revoke_feed",
    "set_handoff_rules",
    "sign_handoff",
]
