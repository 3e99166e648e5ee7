"""Pages for hand-offs and action items."""
