"""URLs of the whole site."""

from django.contrib import admin
from django.urls import include, path

from oncall_site.views import (
    confirm,
    fairness,
    lineage,
    now,
    offline,
    pages,
    people,
    pipelines,
    profile,
    search,
    system,
    undo,
)

handler500 = "oncall_site.views.pages.server_error"

urlpatterns = [
    path("", now.now, name="now"),
    path("now/", now.now_live, name="now_live"),
    path("search/", search.search_page, name="search"),
    path("confirm/", confirm.confirm, name="confirm"),
    path("undo/", undo.undo, name="undo"),
    path("fairness/", fairness.fairness, name="fairness"),
    path("fairness/csv/", fairness.fairness_csv, name="fairness_csv"),
    path("people/", people.people, name="people"),
    path("people/<str:username>/", pages.person, name="person"),
    path("theme/", pages.theme, name="theme"),
    path("favicon.ico", pages.favicon, name="favicon"),
    path("manifest.webmanifest", offline.manifest, name="manifest"),
    path("service-worker.js", offline.service_worker, name="service_worker"),
    path("me/offline/", offline.offline_copy, name="offline_copy"),
    path("healthz", system.healthz, name="healthz"),
    path("readyz", system.readyz, name="readyz"),
    path("metrics", system.metrics, name="metrics"),
    path("", include("handbook.urls")),
    path("", include("calendar_feeds.urls")),
    path("password/forgotten/", pages.forgotten_password, name="forgotten_password"),
    path("me/profile/", profile.profile, name="profile"),
    path("", include("people.urls")),
    path("", include("notifications.urls")),
    path("pipelines/", pipelines.pipelines, name="pipelines"),
    path("pipelines/<slug:slug>/", pipelines.pipeline, name="pipeline"),
    path("lineage/", lineage.lineage, name="lineage"),
    path("checks/<int:pk>/", pages.check, name="check"),
    path("runbooks/<slug:slug>/", pages.runbook, name="runbook"),
    path("", include("readiness.urls")),
    path("", include("team_channels.urls")),
    path("", include("scheduling.urls")),
    path("", include("incidents.urls")),
    path("", include("handoffs.urls")),
    path("", include("runbooks.urls")),
    path("", include("validation.urls")),
    path("", include("lineage.urls")),
    path("api/v1/", include("oncall_site.api.urls")),
    # The admin uses the site's own sign-in page, where attempts are counted.
    path("admin/login/", pages.admin_sign_in, name="admin_sign_in"),
    # Django's “view on site” redirect, which no model here supports.
    path("admin/r/<path:rest>", pages.admin_shortcut),
    path("admin/system/", admin.site.admin_view(system.system), name="system"),
    path("admin/", admin.site.urls),
]
