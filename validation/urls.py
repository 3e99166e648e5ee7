"""Paths of the pages about checks."""

from django.urls import path

from validation import views

urlpatterns = [
    path("checks/", views.checks, name="checks"),
    path("checks/new/", views.new_check, name="new_check"),
    path("checks/metrics/new/", views.new_metric, name="new_metric"),
    path("checks/metrics/<int:pk>/", views.edit_metric, name="edit_metric"),
    path("checks/<int:pk>/", views.check, name="check"),
    path("checks/<int:pk>/edit/", views.edit_check, name="edit_check"),
    path("checks/<int:pk>/remove/", views.remove_check, name="remove_check"),
    path("checks/<int:pk>/progress/", views.progress, name="check_progress"),
    path("checks/<int:pk>/run/", views.run_now, name="run_check"),
    path("checks/<int:pk>/mute/", views.mute, name="mute_check"),
    path("checks/<int:pk>/backtest/", views.backtest, name="backtest_check"),
    path("checks/<int:pk>/events/", views.add_event, name="add_event"),
    path("checks/<int:pk>/events/<int:number>/remove/", views.remove_event, name="remove_event"),
    path("checks/<int:pk>/results/<int:number>/acknowledge/", views.acknowledge, name="acknowledge_result"),
    path("checks/external/", views.external_checks, name="external-checks"),
    path("checks/external/<int:pk>/", views.external_check, name="external-check"),
]
