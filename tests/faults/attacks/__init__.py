"""Attacks on a running site, each a coroutine that goes on until it is cancelled. docs/reliability.md has the table."""
