"""Notification types for tests, and a short way to enqueue them."""

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse
from django.utils import timezone

from notifications.registry import Notification, local_time
from notifications.services.outbox import enqueue
from people.models import User

HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class News(Notification):
    """A notification that is relevant unless its occurrence is "obsolete"."""

    name = "news"
    label = "News"
    identity = ("occurrence",)

    occurrence: str
    text: str = "From Monday on."

    def subject(self, reader):
        return "The week is yours"

    def body(self, reader):
        return self.text

    def link(self):
        return reverse("schedule")

    def is_still_relevant(self, recipient, at):
        return not self.occurrence.startswith("obsolete")


@dataclass(frozen=True, slots=True)
class Page(News):
    """An urgent one."""

    name = "page"
    label = "Page"
    urgent = True


@dataclass(frozen=True, slots=True)
class Incident(Page):
    """One of a type that is limited."""

    name = "test-incident"
    label = "Test incident"
    rate_limited = True


@dataclass(frozen=True, slots=True)
class Secret(News):
    """One whose link is a secret."""

    name = "secret"
    label = "Secret"
    private = True

    def delivery_link(self):
        return "/link/s3cret/"


@dataclass(frozen=True, slots=True)
class TimedNews(News):
    """One with a time: its text is an instant."""

    name = "timed-news"
    label = "Timed news"

    def body(self, reader):
        return f"At {local_time(dt.datetime.fromisoformat(self.text), reader)}."


@dataclass(frozen=True, slots=True)
class AdminNews(News):
    """One for admins."""

    name = "admin-news"
    label = "Admin news"
    admins_only = True


def enqueue_news(people, occurrence="1", *, cls=News, text="From Monday on.", due=None, expires=None, invitation=None):
    """Enqueue a notification that is due now, or at `due`, and expires a day later."""
    due_at = due or timezone.now() - dt.timedelta(seconds=1)
    return enqueue(
        people, cls(occurrence, text), due_at=due_at, expires_at=expires or due_at + 24 * HOUR, invitation=invitation
    )


def with_mail(person):
    """Give somebody an e-mail address; return them."""
    User.objects.filter(pk=person.pk).update(email=f"{person.username}@example.org")
    person.refresh_from_db()
    return person
