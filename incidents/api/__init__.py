"""The API's calls about incidents, a file for each noun."""

from incidents.api.alerts import AlertViewSet, alertmanager
from incidents.api.incidents import IncidentViewSet

__all__ = ["AlertViewSet", "IncidentViewSet", "alertmanager"]
