"""Pages about checks and their results, a file for each noun."""

from validation.views.external import external_check, external_checks

__all__ = ["external_check", "external_checks"]
