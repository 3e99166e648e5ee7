"""URLs of runbooks."""

from django.urls import path

from runbooks import views

urlpatterns = [
    path("runbooks/", views.runbooks, name="runbooks"),
    path("runbooks/<slug:slug>/", views.runbook, name="runbook"),
    path("runbooks/<slug:slug>/begin/", views.begin, name="begin_runbook"),
    path("runbooks/<slug:slug>/edit/", views.edit, name="edit_runbook"),
    path("runbooks/<slug:slug>/delete/", views.delete, name="delete_runbook"),
    path("runbooks/<slug:slug>/restore/", views.restore_deleted, name="restore_deleted_runbook"),
    path("runbooks/<slug:slug>/read/", views.mark_read, name="mark_runbook_read"),
    path("runbooks/<slug:slug>/preview/", views.preview, name="preview_runbook"),
    path("runbooks/<slug:slug>/revisions/", views.revisions, name="runbook_revisions"),
    path("runbooks/<slug:slug>/revisions/<int:number>/", views.revision, name="runbook_revision"),
    path("runbooks/<slug:slug>/revisions/<int:number>/restore/", views.restore, name="restore_runbook"),
    path("runbooks/<slug:slug>/compare/", views.comparison, name="compare_runbook"),
]
