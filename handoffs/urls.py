"""Paths of hand-offs and calendar feeds."""

from django.urls import path

from handoffs.views import feeds, handoffs, items

urlpatterns = [
    path("handoffs/", handoffs.handoffs, name="handoffs"),
    path("handoffs/<int:pk>/", handoffs.handoff, name="handoff"),
    path("handoffs/<int:pk>/meeting/", handoffs.move, name="move_meeting"),
    path("handoffs/<int:pk>/sign/", handoffs.sign, name="sign_handoff"),
    path("action-items/add/", items.add, name="add_item"),
    path("action-items/<int:pk>/done/", items.done, {"is_done": True}, name="item_done"),
    path("action-items/<int:pk>/open/", items.done, {"is_done": False}, name="item_open"),
    path("me/feeds/", feeds.my_feeds, name="my_feeds"),
    path("me/feeds/<int:pk>/revoke/", feeds.revoke, name="revoke_feed"),
    path("feeds/<slug:token>.ics", feeds.feed, name="feed"),
]
