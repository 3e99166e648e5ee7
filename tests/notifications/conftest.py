"""Fixtures of the notification tests."""

import pytest

from notifications import registry
from tests.notifications.news import AdminNews, Incident, News, Page, Secret, TimedNews


@pytest.fixture(autouse=True)
def registered_types(monkeypatch):
    """Register the types of these tests for the length of a test."""
    monkeypatch.setattr(registry, "_types", dict(registry._types))
    for cls in (News, Page, Secret, AdminNews, TimedNews, Incident):
        registry.register(cls)
