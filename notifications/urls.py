"""URLs of the Notifications page."""

from django.urls import path

from notifications.views import notifications as views

urlpatterns = [
    path("me/notifications/", views.notifications, name="notifications"),
    path("me/notifications/rules/", views.save_rules, name="notification_rules"),
    path("me/notifications/contact-methods/", views.add_contact_method, name="add_contact_method"),
    path("me/notifications/<slug:channel>/remove/", views.remove_contact_method, name="remove_contact_method"),
    path("me/notifications/<slug:channel>/test/", views.send_test, name="send_test"),
]
