"""iCalendar objects: invitations to a meeting (RFC 5545, 5546) and the events of feeds. All instants are written in UTC."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from icalendar import Calendar, Component, Event, Timezone, TimezoneStandard, vCalAddress, vText

MAKER = "-//On-call site//Hand-offs and schedule//EN"
# How often subscribed calendars are asked to look again.
REFRESHED = dt.timedelta(hours=1)
CRLF = "\r\n"
UTC_OFFSET = dt.timedelta(0)


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody by name and e-mail address."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Meeting:
    """A meeting as an invitation says it; `sequence` and `stamped_at` rise with every change of it."""

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
    """What an event of a feed says: from when until when, in dates (the last one excluded) or instants, and its words."""

    starts: dt.date | dt.datetime
    ends: dt.date | dt.datetime
    summary: str
    description: str = field(default="")
    url: str = field(default="")


@dataclass(frozen=True, slots=True)
class Version:
    """Which event it is, and which version of it."""

    uid: str
    sequence: int
    stamped_at: dt.datetime
    cancelled: bool


def invitation(meeting: Meeting) -> str:
    """Return the object by which the attendees are asked to the meeting, or told of its new time: method REQUEST."""
    event = _meeting_event(meeting)
    event.add("status", "CONFIRMED")
    return _message("REQUEST", event)


def cancellation(meeting: Meeting, *, whole: bool) -> str:
    """Return the object by which the attendees are told that the meeting is off for them: method CANCEL.

    `whole` says that it is off for all. Only then has the event a status: where some are uninvited and the meeting goes on
    without them, RFC 5546 (3.2.5) forbids it, and the attendees are those who are uninvited.
    """
    event = _meeting_event(meeting)
    if whole:
        event.add("status", "CANCELLED")
    return _message("CANCEL", event)


def feed_event(content: Content, *, version: Version) -> str:
    """Return the text of a feed's event; it takes nobody's time, so that calendars do not show its reader as busy."""
    event = Event()
    event.add("uid", version.uid)
    event.add("sequence", version.sequence)
    event.add("dtstamp", version.stamped_at)
    event.add("last-modified", version.stamped_at)
    event.add("dtstart", _day_or_instant(content.starts))
    event.add("dtend", _day_or_instant(content.ends))
    event.add("summary", plain(content.summary))
    if content.description:
        event.add("description", plain(content.description))
    if content.url:
        event.add("url", content.url)
    event.add("status", "CANCELLED" if version.cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    return _text(event)


def feed(name: str, *, events: Iterable[str]) -> str:
    """Return a feed's calendar: its name, how often to look again, the events' texts; no method, since it asks nobody (RFC 5545, 3.7.2)."""
    calendar = _calendar()
    calendar.add("name", plain(name))
    calendar.add("x-wr-calname", plain(name))
    calendar.add("refresh-interval", REFRESHED, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    head, end = _text(calendar).split("END:VCALENDAR")
    body = "".join(events) or _text(_utc())
    return f"{head}{body}END:VCALENDAR{end}"


def plain(text: str) -> str:
    """Return a text without the control characters that iCalendar forbids (RFC 5545, 3.1); line ends stay."""
    return "".join(sign for sign in text.replace(CRLF, "\n") if sign in "\n\t" or sign.isprintable() or sign > "\x9f")


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", MAKER)
    calendar.add("calscale", "GREGORIAN")
    return calendar


def _utc() -> Timezone:
    """Return the component that a calendar without any event has, since it must have one (RFC 5545, 3.6)."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "Etc/UTC")
    standard.add("dtstart", dt.datetime(1970, 1, 1))  # noqa: DTZ001  # a rule of a zone starts at a local time
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
    event.add("summary", plain(meeting.summary))
    event.add("description", plain(meeting.description))
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
    name = " ".join(plain(address.name).split())
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
