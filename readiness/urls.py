"""URLs of readiness."""

from django.urls import path

from readiness.views import badge, readers, restatements

urlpatterns = [
    path("pipelines/<slug:slug>/readiness.svg", badge.badge, name="readiness_badge"),
    path("pipelines/<slug:slug>/restatements/", restatements.pipeline_restatements, name="restatements"),
    path("pipelines/<slug:slug>/restatements.csv", restatements.restatements_csv, name="restatements_csv"),
    path("pipelines/<slug:slug>/readers-note/", readers.note, name="reader_note"),
    path("restatements/<int:pk>/comment/", restatements.comment, name="comment_restatement"),
    path("readers/", readers.links, name="readers_links"),
    path("readers/<int:pk>/revoke/", readers.revoke, name="revoke_readers_link"),
    path("readers/confirm/<str:secret>/", readers.confirm, name="confirm_subscription"),
    path("readers/leave/<str:secret>/", readers.leave_subscription, name="leave_subscription"),
    path("readers/<slug:token>/", readers.readers_page, name="readers_page"),
    path("readers/<slug:token>/subscribe/", readers.subscribe, name="subscribe"),
    path("readers/<slug:token>/<slug:slug>.svg", readers.reader_badge, name="reader_badge"),
]
