"""Paths of the whole site."""

from django.contrib import admin
from django.urls import include, path

from oncall_site import api, views

urlpatterns = [
    path("", views.now, name="now"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("people.urls")),
    path("pipelines/<slug:slug>/", views.pipeline, name="pipeline"),
    path("runbooks/<slug:slug>/", views.runbook, name="runbook"),
    path("pipelines/", include("pipelines.urls")),
    path("", include("scheduling.urls")),
    path("", include("incidents.urls")),
    path("", include("runbooks.urls")),
    path("api/v1/", include(api.urlpatterns)),
    path("admin/", admin.site.urls),
]
