"""Check evaluation: pure functions on immutable values."""
