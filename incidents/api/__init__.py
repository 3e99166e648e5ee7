"""The API's calls about incidents, a file for each noun."""

from incidents.api.alerts import AlertViewSet, alertmanager
from incidents.api.incidents import IncidentViewSet
from incidents.api.reports import ReportViewSet

__all__ = ["AlertViewSet", "IncidentViewSet", "ReportViewSet", "alertmanager"]
