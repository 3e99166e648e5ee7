"""Paths of how I am told."""

from django.urls import path

from notifications import views

urlpatterns = [
    path("me/messages/", views.my_messages, name="my_messages"),
]
