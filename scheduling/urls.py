"""Paths of the schedule and the shared calendar."""

from django.urls import path

from scheduling import views

urlpatterns = [
    path("schedule/", views.schedule, name="schedule"),
    path("calendar/", views.calendar_now, name="calendar"),
    path("calendar/<int:year>/<int:month>/", views.calendar_month, name="calendar_month"),
    path("calendar/block/", views.block, name="block"),
    path("calendar/holidays/<int:pk>/", views.holiday, name="holiday"),
    path("calendar/holidays/<int:pk>/remove/", views.remove, name="remove_holiday"),
]
