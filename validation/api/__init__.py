"""The API's calls about checks and their results, a file for each noun."""

from validation.api.external import ExternalCheckViewSet, integration

__all__ = ["ExternalCheckViewSet", "integration"]
