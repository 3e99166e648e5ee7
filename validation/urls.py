"""Paths of the pages about checks."""

from django.urls import path

from validation import views

urlpatterns = [
    path("checks/external/", views.external_checks, name="external-checks"),
    path("checks/external/<int:pk>/", views.external_check, name="external-check"),
]
