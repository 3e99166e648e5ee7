"""URLs of the Notifications page."""

from django.urls import path

from notifications import views

urlpatterns = [
    path("me/notifications/", views.notifications, name="notifications"),
]
