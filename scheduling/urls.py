"""Paths of the schedule and the shared calendar."""

import datetime as dt

from django.urls import path, register_converter

from scheduling import swaps_views, views


class DateConverter:
    """A date in a path, as 2026-11-23."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        """Return the date; ValueError makes the path one that is not there."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        """Return the date as it stands in a path."""
        return value.isoformat()


register_converter(DateConverter, "date")

urlpatterns = [
    path("schedule/", views.schedule, name="schedule"),
    path("schedule/<date:day>/", views.week, name="week"),
    path("schedule/<slug:slug>/roster/", views.roster, name="roster"),
    path("schedule/<slug:slug>/plan/", swaps_views.plan, name="plan"),
    path("schedule/<slug:slug>/cover/", swaps_views.cover, name="cover"),
    path("covers/<int:pk>/end/", swaps_views.end_cover, name="end_cover"),
    path("swaps/", swaps_views.swaps, name="swaps"),
    path("swaps/ask/", swaps_views.ask, name="ask"),
    path("swaps/<int:pk>/", swaps_views.swap, name="swap"),
    path("swaps/<int:pk>/accept/", swaps_views.answer_swap, {"answer": "accept"}, name="accept_swap"),
    path("swaps/<int:pk>/decline/", swaps_views.answer_swap, {"answer": "decline"}, name="decline_swap"),
    path("swaps/<int:pk>/cancel/", swaps_views.answer_swap, {"answer": "cancel"}, name="cancel_swap"),
    path("fairness/", views.fairness, name="fairness"),
    path("calendar/", views.calendar_now, name="calendar"),
    path("calendar/<int:year>/<int:month>/", views.calendar_month, name="calendar_month"),
    path("calendar/block/", views.block, name="block"),
    path("calendar/holidays/<int:pk>/", views.holiday, name="holiday"),
    path("calendar/holidays/<int:pk>/remove/", views.remove, name="remove_holiday"),
]
