"""URL patterns of lineage pages."""

from django.urls import path

from lineage.views import decide, drift, unmapped

urlpatterns = [
    path("lineage/drift/", drift, name="drift"),
    path("lineage/drift/<slug:slug>/", decide, name="decide_drift"),
    path("lineage/unmapped/", unmapped, name="unmapped_nodes"),
]
