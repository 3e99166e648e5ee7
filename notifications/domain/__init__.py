"""Quiet hours and retry delays, without database access."""
