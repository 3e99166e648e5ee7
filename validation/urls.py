"""URL patterns of check and metric pages."""

from django.urls import path

from validation.views.checks import (
    acknowledge,
    add_event,
    backtest,
    check,
    checks,
    checks_csv,
    edit_check,
    mute,
    new_check,
    progress,
    remove_check,
    remove_event,
    removed_checks,
    restore,
    run_now,
)
from validation.views.external import external_check, external_checks
from validation.views.metrics import edit_metric, new_metric

urlpatterns = [
    path("checks/", checks, name="checks"),
    path("checks/csv/", checks_csv, name="checks_csv"),
    path("checks/new/", new_check, name="new_check"),
    path("checks/metrics/new/", new_metric, name="new_metric"),
    path("checks/metrics/<int:pk>/", edit_metric, name="edit_metric"),
    path("checks/deleted/", removed_checks, name="deleted_checks"),
    path("checks/<int:pk>/", check, name="check"),
    path("checks/<int:pk>/edit/", edit_check, name="edit_check"),
    path("checks/<int:pk>/remove/", remove_check, name="remove_check"),
    path("checks/<int:pk>/restore/", restore, name="restore_check"),
    path("checks/<int:pk>/progress/", progress, name="check_progress"),
    path("checks/<int:pk>/run/", run_now, name="run_check"),
    path("checks/<int:pk>/mute/", mute, name="mute_check"),
    path("checks/<int:pk>/backtest/", backtest, name="backtest_check"),
    path("checks/<int:pk>/events/", add_event, name="add_event"),
    path("checks/<int:pk>/events/<int:number>/remove/", remove_event, name="remove_event"),
    path("checks/<int:pk>/results/<int:number>/acknowledge/", acknowledge, name="acknowledge_result"),
    path("checks/external/", external_checks, name="external-checks"),
    path("checks/external/<int:pk>/", external_check, name="external-check"),
]
