"""URL patterns of the schedule and the shared calendar."""

import datetime as dt

from django.urls import path, register_converter

from scheduling.views import (
    calendar,
    calendar_links,
    cover_requests,
    covers,
    optimizer,
    rotations,
    schedule,
    slack,
    swaps,
    timeline,
)


class DateConverter:
    """A date in a URL, such as 2026-11-23."""

    regex = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

    def to_python(self, value: str) -> dt.date:
        """Return the date; ValueError makes the URL not match."""
        return dt.date.fromisoformat(value)

    def to_url(self, value: dt.date) -> str:
        """Return the date in ISO format."""
        return value.isoformat()


register_converter(DateConverter, "date")

urlpatterns = [
    path("schedule/", timeline.timeline, name="schedule"),
    path("schedule/<date:day>/", schedule.week, name="week"),
    path("schedule/csv/", timeline.timeline_csv, name="schedule_csv"),
    path("schedule/new/", rotations.new_rotation, name="new_rotation"),
    path("schedule/<slug:slug>/edit/", rotations.edit_rotation, name="edit_rotation"),
    path("schedule/<slug:slug>/archive/", rotations.archive, name="archive_rotation"),
    path("schedule/<slug:slug>/roster/", schedule.roster, name="roster"),
    path("schedule/<slug:slug>/plan/", optimizer.plan, name="plan"),
    path("schedule/<slug:slug>/cover/", covers.cover, name="cover"),
    path("schedule/<slug:slug>/details/", timeline.details, name="timeline_details"),
    path("covers/<int:pk>/end/", covers.end_cover, name="end_cover"),
    path("covers/request/", cover_requests.request_cover, name="request_cover"),
    path("covers/requests/<int:pk>/", cover_requests.cover_request, name="cover_request"),
    path("covers/requests/<int:pk>/accept/", cover_requests.accept, name="accept_cover_request"),
    path("covers/requests/<int:pk>/decline/", cover_requests.decline, name="decline_cover_request"),
    path("covers/requests/<int:pk>/cancel/", cover_requests.cancel, name="cancel_cover_request"),
    path("covers/requests/<int:pk>/remind/", cover_requests.remind, name="remind_cover_request"),
    path("swaps/", swaps.swaps, name="swaps"),
    path("swaps/request/", swaps.request_swap, name="request_swap"),
    path("swaps/<int:pk>/", swaps.swap, name="swap"),
    path("swaps/<int:pk>/accept/", swaps.answer_swap, {"answer": "accept"}, name="accept_swap"),
    path("swaps/<int:pk>/decline/", swaps.answer_swap, {"answer": "decline"}, name="decline_swap"),
    path("swaps/<int:pk>/cancel/", swaps.answer_swap, {"answer": "cancel"}, name="cancel_swap"),
    path("swaps/<int:pk>/remind/", swaps.remind, name="remind_swap"),
    path("hooks/slack/commands/", slack.commands, name="slack_commands"),
    path("me/calendar-link/", calendar_links.calendar_link, name="calendar_link"),
    path("me/calendar-link/sync/", calendar_links.sync, name="sync_calendar_link"),
    path("me/calendar-link/unlink/", calendar_links.unlink, name="unlink_calendar"),
    path("calendar/", calendar.calendar_now, name="calendar"),
    path("calendar/<int:year>/<int:month>/", calendar.calendar_month, name="calendar_month"),
    path("calendar/add/", calendar.add_holiday, name="add_holiday"),
    path("calendar/holidays/<int:pk>/", calendar.holiday, name="holiday"),
    path("calendar/holidays/<int:pk>/delete/", calendar.delete, name="delete_holiday"),
]
