"""URLs of readiness."""

from django.urls import path

from readiness.views import badge, restatements

urlpatterns = [
    path("pipelines/<slug:slug>/readiness.svg", badge.badge, name="readiness_badge"),
    path("pipelines/<slug:slug>/restatements/", restatements.pipeline_restatements, name="restatements"),
    path("pipelines/<slug:slug>/restatements.csv", restatements.restatements_csv, name="restatements_csv"),
    path("restatements/<int:pk>/comment/", restatements.comment, name="comment_restatement"),
]
