"""The API's calls about incidents, a file for each noun."""

from incidents.api.incidents import IncidentViewSet

__all__ = ["IncidentViewSet"]
