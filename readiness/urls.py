"""URLs of readiness."""

from django.urls import path

from readiness.views import badge

urlpatterns = [
    path("pipelines/<slug:slug>/readiness.svg", badge.badge, name="readiness_badge"),
]
