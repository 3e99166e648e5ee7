"""Pure Python: events and the text of messages."""
