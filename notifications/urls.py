"""URLs of the Notifications page."""

from django.urls import path

from notifications.views import contact_methods as methods
from notifications.views import notifications as views
from notifications.views import push_devices

urlpatterns = [
    path("me/notifications/", views.notifications, name="notifications"),
    path("me/notifications/rules/", views.save_rules, name="notification_rules"),
    path("me/notifications/contact-methods/", methods.add_contact_method, name="add_contact_method"),
    path(
        "me/notifications/contact-methods/<int:pk>/verify/", methods.verify_contact_method, name="verify_contact_method"
    ),
    path("me/notifications/contact-methods/<int:pk>/code/", methods.send_code, name="send_contact_code"),
    path("me/notifications/contact-methods/<int:pk>/test/", methods.test_contact_method, name="test_contact_method"),
    path(
        "me/notifications/contact-methods/<int:pk>/remove/", methods.remove_contact_method, name="remove_contact_method"
    ),
    path("me/notifications/push/<int:pk>/", push_devices.push_device, name="push_device"),
    path("me/notifications/push/<int:pk>/rename/", push_devices.rename_push_device, name="rename_push_device"),
    path("me/notifications/push/<int:pk>/test/", push_devices.send_push_test, name="send_push_test"),
    path("me/notifications/push/<int:pk>/confirm/", push_devices.confirm_push_device, name="confirm_push_device"),
    path("me/notifications/push/<int:pk>/remove/", push_devices.remove_push_device, name="remove_push_device"),
    path("me/notifications/<slug:channel>/test/", views.send_test, name="send_test"),
]
