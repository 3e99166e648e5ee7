"""Parsers for the result files of other tools, without database access."""
