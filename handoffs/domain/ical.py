"""Build iCalendar objects: meeting invitations (RFC 5545, 5546) and feed events. All instants are in UTC."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from icalendar import Calendar, Component, Event, Timezone, TimezoneStandard, vCalAddress, vText

PRODUCT_ID = "-//On-call site//Hand-offs and schedule//EN"
# How often subscribed calendars are asked to refresh.
REFRESH_INTERVAL = dt.timedelta(hours=1)
CRLF = "\r\n"
UTC_OFFSET = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Address:
    """A person's name and email address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as shown in an invitation. `sequence` and `stamped_at` increase with every change."""

    uid: str
    sequence: int
    stamped_at: dt.datetime
    starts_at: dt.datetime
    ends_at: dt.datetime
    summary: str
    description: str
    url: str
    organizer: Address
    attendees: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a feed event: start and end as dates (end exclusive) or instants, and its text."""

    starts: dt.date | dt.datetime
    ends: dt.date | dt.datetime
    summary: str
    description: str = field(default="")
    url: str = field(default="")


@dataclass(frozen=True, slots=True)
class Version:
    """The identity and version of an event."""

    uid: str
    sequence: int
    stamped_at: dt.datetime
    cancelled: bool


def invitation(meeting: Meeting) -> str:
    """Return an iCalendar REQUEST that invites the attendees or sends them a new time."""
    event = _meeting_event(meeting)
    event.add("status", "CONFIRMED")
    return _message("REQUEST", event)


def cancellation(meeting: Meeting, *, for_everyone: bool) -> str:
    """Return an iCalendar CANCEL that cancels the meeting for its attendees.

    `whole` means that the meeting is cancelled for everyone. Only then does the event have a status: RFC 5546 (3.2.5) forbids
    one if some attendees are removed and the meeting still takes place.
    """
    event = _meeting_event(meeting)
    if for_everyone:
        event.add("status", "CANCELLED")
    return _message("CANCEL", event)


def feed_event(content: Content, *, version: Version) -> str:
    """Return the text of a feed event. It is transparent, so calendars do not show its reader as busy."""
    event = Event()
    event.add("uid", version.uid)
    event.add("sequence", version.sequence)
    event.add("dtstamp", version.stamped_at)
    event.add("last-modified", version.stamped_at)
    event.add("dtstart", _day_or_instant(content.starts))
    event.add("dtend", _day_or_instant(content.ends))
    event.add("summary", plain_text(content.summary))
    if content.description:
        event.add("description", plain_text(content.description))
    if content.url:
        event.add("url", content.url)
    event.add("status", "CANCELLED" if version.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return _text(event)


def feed(name: str, *, events: Iterable[str]) -> str:
    """Return a feed's calendar with its name, refresh interval and events.

    It has no METHOD because it is not an invitation (RFC 5545, 3.7.2).
    """
    calendar = _calendar()
    calendar.add("name", plain_text(name))
    calendar.add("x-wr-calname", plain_text(name))
    calendar.add("refresh-interval", REFRESH_INTERVAL, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    head, end = _text(calendar).split("END:VCALENDAR")
    body = "".join(events) or _text(_utc())
    return f"{head}{body}END:VCALENDAR{end}"


def plain_text(text: str) -> str:
    """Return the text without the control characters that iCalendar forbids (RFC 5545, 3.1). Line breaks are preserved."""
    return "".join(sign for sign in text.replace(CRLF, "\n") if sign in "\n\t" or sign.isprintable() or sign > "\x9f")


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT_ID)
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _utc() -> Timezone:
    """Return the UTC time zone component. A calendar needs at least one component (RFC 5545, 3.6)."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "Etc/UTC")
    standard.add("dtstart", dt.datetime(1970, 1, 1))  # noqa: DTZ001  # time zone rules start at a local time
    standard.add("tzoffsetfrom", UTC_OFFSET)
    standard.add("tzoffsetto", UTC_OFFSET)
    zone.add_component(standard)
    return zone


def _day_or_instant(value: dt.date | dt.datetime) -> dt.date | dt.datetime:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _meeting_event(meeting: Meeting) -> Event:
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.stamped_at.astimezone(dt.UTC))
    event.add("dtstart", meeting.starts_at.astimezone(dt.UTC))
    event.add("dtend", meeting.ends_at.astimezone(dt.UTC))
    event.add("summary", plain_text(meeting.summary))
    event.add("description", plain_text(meeting.description))
    event.add("url", meeting.url)
    event.add("organizer", _person(meeting.organizer))
    for one in meeting.attendees:
        attendee = _person(one)
        attendee.params["ROLE"] = vText("REQ-PARTICIPANT")
        attendee.params["PARTSTAT"] = vText("NEEDS-ACTION")
        attendee.params["RSVP"] = vText("FALSE")
        event.add("attendee", attendee)
    return event


def _person(address: Address) -> vCalAddress:
    person = vCalAddress(f"mailto:{address.email}")
    name = " ".join(plain_text(address.name).split())
    if name:
        person.params["CN"] = vText(name)
    return person


def _message(method: str, event: Event) -> str:
    calendar = _calendar()
    calendar.add("method", method)
    calendar.add_component(event)
    return _text(calendar)


def _text(component: Component) -> str:
    written: bytes = component.to_ical()
    return written.decode()
