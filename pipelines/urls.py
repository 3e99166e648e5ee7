"""URLs of `pipelines`."""

from django.urls import path

from pipelines import views

urlpatterns = [
    path("", views.pipelines, name="pipelines"),
]
