"""Split iCalendar text (RFC 5545) into events and their properties. Tolerant: a damaged line costs only its own event."""

import re
from dataclasses import dataclass, field

MAX_BYTES = 512 * 1024
MAX_EVENTS = 2_000
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
FOLD = re.compile(rb"(?:\r\n|\n|\r)[ \t]")
LINE_END = re.compile(r"\r\n|\n|\r")
NAME = re.compile(r"[A-Za-z0-9-]+")
ESCAPE = re.compile(r"\\([\\;,nN])")


class UnreadableCalendarError(ValueError):
    """The text is not a calendar or exceeds a limit; the message is shown to the user."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of an event; names of properties and parameters are upper case."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass(slots=True)
class RawEvent:
    """The properties of a VEVENT, by name. `complete` is False if its END line is missing."""

    properties: dict[str, list[Property]] = field(default_factory=dict)
    complete: bool = False

    def all(self, name: str) -> list[Property]:
        """Return the properties with this name."""
        return self.properties.get(name, [])

    def first(self, name: str) -> Property | None:
        """Return the first property with this name, or None."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """Return the first value with this name without its escapes, or ""."""
        parsed = self.first(name)
        if parsed is None:
            return ""
        text = ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], parsed.value)
        return text.replace("\0", "").strip()


@dataclass(frozen=True, slots=True)
class RawCalendar:
    """A calendar's time zone, "" if it names none, and its events."""

    time_zone: str
    events: list[RawEvent]


def parse_calendar(data: bytes) -> RawCalendar:
    """Return the events of a calendar file; raise UnreadableCalendarError if it is not one, or is cut off or too large."""
    if len(data) > MAX_BYTES:
        raise UnreadableCalendarError(f"The calendar is larger than {MAX_BYTES // 1024} KiB.")
    lines = LINE_END.split(_decode(data))
    markers = [line.strip().upper() for line in lines]
    if "BEGIN:VCALENDAR" not in markers:
        raise UnreadableCalendarError("The address does not return a calendar.")
    if markers.count("BEGIN:VEVENT") > MAX_EVENTS:
        raise UnreadableCalendarError(f"The calendar has more than {MAX_EVENTS:,} events.")
    if markers.count("END:VCALENDAR") < markers.count("BEGIN:VCALENDAR"):
        # Absences must not be deleted because a download broke off.
        raise UnreadableCalendarError("The calendar is incomplete: its end is missing.")
    return _parse_lines(lines, markers)


def _decode(data: bytes) -> str:
    if data.startswith(UTF_16_MARKS):
        data = data.decode("utf-16", errors="replace").encode()
    # A fold may split a character in two, so lines are joined before they are decoded.
    return FOLD.sub(b"", data).decode("utf-8-sig", errors="replace")


def _parse_lines(lines: list[str], markers: list[str]) -> RawCalendar:
    events: list[RawEvent] = []
    time_zone, event = "", None
    nested: list[str] = []
    for line, marker in zip(lines, markers, strict=True):
        if marker == "BEGIN:VEVENT":
            event, nested = RawEvent(), []
            events.append(event)
        elif marker == "END:VEVENT" and event is not None:
            event.complete, event = True, None
        elif event is not None and marker.startswith("BEGIN:"):
            nested.append(marker[6:])
        elif event is not None and nested:
            # An alarm inside an event has its own SUMMARY, DURATION and UID.
            if marker == f"END:{nested[-1]}":
                nested.pop()
        elif event is not None:
            parsed = parse_line(line)
            if parsed is not None:
                event.properties.setdefault(parsed.name, []).append(parsed)
        elif marker.startswith("X-WR-TIMEZONE"):
            time_zone = time_zone or line.partition(":")[2].strip()
    return RawCalendar(time_zone, events)


def parse_line(line: str) -> Property | None:
    """Return the property in an unfolded line, or None if there is none."""
    name = NAME.match(line)
    if name is None or line[name.end() : name.end() + 1] not in (";", ":"):
        return None
    quoted, parts, begin = False, [], name.end() + 1
    if line[name.end()] == ":":
        return Property(name[0].upper(), {}, line[begin:])
    for place in range(begin, len(line)):
        character = line[place]
        if character == '"':
            quoted = not quoted
        elif not quoted and character in ";:":
            parts.append(line[begin:place])
            begin = place + 1
            if character == ":":
                break
    else:
        return None
    pairs = (part.partition("=") for part in parts)
    return Property(name[0].upper(), {key.strip().upper(): value.strip('"') for key, _, value in pairs}, line[begin:])
