"""URLs of handbook import and export."""

from django.urls import path

from handbook import views

urlpatterns = [
    path("handbook/", views.handbook, name="handbook"),
    path("handbook/handbook.md", views.handbook_file, name="handbook_file"),
]
