"""Management commands for notifications."""
