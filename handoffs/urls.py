"""URL patterns for hand-offs and action items."""

from django.urls import path

from handoffs.views import action_items, handoffs

urlpatterns = [
    path("handoffs/", handoffs.handoffs, name="handoffs"),
    path("handoffs/<int:pk>/", handoffs.handoff, name="handoff"),
    path("handoffs/<int:pk>/meeting/", handoffs.move, name="move_meeting"),
    path("handoffs/<int:pk>/sign/", handoffs.sign, name="sign_handoff"),
    path("handoffs/<int:pk>/unsign/", handoffs.unsign, name="unsign_handoff"),
    path("handoffs/<int:pk>/close/", handoffs.close, name="close_handoff"),
    path("action-items/add/", action_items.add, name="add_item"),
    path("action-items/<int:pk>/done/", action_items.done, {"is_done": True}, name="item_done"),
    path("action-items/<int:pk>/open/", action_items.done, {"is_done": False}, name="item_open"),
]
