"""A small reader of iCalendar text that shares no code with what writes it, and a calendar that does as RFC 5546 asks."""

import datetime as dt
from dataclasses import dataclass, field

SHORT_LINE = 75


@dataclass
class Event:
    """An event's properties: name, parameters, value; those that come more than once keep every value."""

    lines: list = field(default_factory=list)

    def all(self, name):
        return [value for key, _, value in self.lines if key == name]

    def __getitem__(self, name):
        [value] = self.all(name)
        return value

    def parameters(self, name):
        [actual] = [parameters for key, parameters, _ in self.lines if key == name]
        return actual

    def get(self, name):
        actual = self.all(name)
        return actual[0] if actual else None

    @property
    def span(self):
        """Return from when until when it lasts; whole days as dates."""
        return self._moment("DTSTART"), self._moment("DTEND")

    def _moment(self, name):
        value = self[name]
        if "VALUE=DATE" in self.parameters(name):
            return dt.datetime.strptime(value, "%Y%m%d").date()
        assert value.endswith("Z"), f"{name} is not in UTC: {value}"
        return dt.datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)


def read(text):
    """Return a calendar's own properties and its events; assert how its lines are written (RFC 5545, 3.1)."""
    assert text.endswith("END:VCALENDAR\r\n")
    assert "\n" not in text.replace("\r\n", "")
    for line in text.split("\r\n"):
        assert len(line.encode()) <= SHORT_LINE, f"a line is too long: {line}"
    calendar, events, inside = Event(), [], []
    for line in text.replace("\r\n ", "").split("\r\n")[:-1]:
        head, _, value = _cut(line)
        name, *parameters = head.split(";")
        if name == "BEGIN":
            inside.append(value)
            events += [Event()] if value == "VEVENT" else []
        elif name == "END":
            assert inside.pop() == value
        elif inside == ["VCALENDAR"]:
            calendar.lines.append((name, parameters, value))
        elif inside[-1] == "VEVENT":
            events[-1].lines.append((name, parameters, value))
    assert not inside
    return calendar, events


def _cut(line):
    """Return a line's name with parameters, and its value: cut at the first colon outside quotes."""
    quoted = False
    for place, sign in enumerate(line):
        quoted ^= sign == '"'
        if sign == ":" and not quoted:
            return line[:place], ":", line[place + 1 :]
    raise AssertionError(f"no colon: {line}")


class Mailbox:
    """Somebody's calendar, fed with the invitations they are mailed: newer ones replace older ones, cancelled ones go."""

    def __init__(self):
        self.known = {}
        self.events = {}

    def take(self, text):
        calendar, [event] = read(text)
        uid, sequence = event["UID"], int(event["SEQUENCE"])
        assert sequence >= self.known.get(uid, 0)
        if calendar["METHOD"] == "REQUEST":
            assert sequence > self.known.get(uid, -1), "a second invitation that says nothing new"
            self.events[uid] = event.span
        else:
            assert calendar["METHOD"] == "CANCEL"
            assert uid in self.events, "the end of a meeting that was never in this calendar"
            del self.events[uid]
        self.known[uid] = sequence
