"""URL patterns for calendar feeds."""

from django.urls import path

from calendar_feeds import views

urlpatterns = [
    path("me/feeds/", views.my_feeds, name="my_feeds"),
    path("me/feeds/<int:pk>/revoke/", views.revoke, name="revoke_feed"),
    path("feeds/<slug:token>.ics", views.feed, name="feed"),
]
