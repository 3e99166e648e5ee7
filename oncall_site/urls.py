"""Paths of the whole site."""

from django.contrib import admin
from django.urls import include, path

from oncall_site import api, handbook_views, system_views, views

urlpatterns = [
    path("", views.now, name="now"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("metrics", system_views.metrics, name="metrics"),
    path("handbook/", handbook_views.handbook, name="handbook"),
    path("handbook/handbook.md", handbook_views.handbook_file, name="handbook_file"),
    path("password/forgotten/", views.forgotten_password, name="forgotten_password"),
    path("", include("people.urls")),
    path("", include("notifications.urls")),
    path("pipelines/<slug:slug>/", views.pipeline, name="pipeline"),
    path("runbooks/<slug:slug>/", views.runbook, name="runbook"),
    path("pipelines/", include("pipelines.urls")),
    path("", include("scheduling.urls")),
    path("", include("incidents.urls")),
    path("", include("handoffs.urls")),
    path("", include("runbooks.urls")),
    path("", include("validation.urls")),
    path("api/v1/", include(api.urlpatterns)),
    # Who is not signed in does so on the site's own page, where attempts are counted.
    path("admin/login/", views.admin_sign_in, name="admin_sign_in"),
    # Django's shortcut to the page of any row of any table, which no row here has.
    path("admin/r/<path:rest>", views.no_shortcut),
    path("admin/system/", admin.site.admin_view(system_views.system), name="system"),
    path("admin/", admin.site.urls),
]
