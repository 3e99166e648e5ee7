"""Reads of checks and their results, a file for each noun."""

from validation.queries.external import external_checks, failing_external_checks

__all__ = ["external_checks", "failing_external_checks"]
