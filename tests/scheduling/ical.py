"""Build iCalendar files for tests."""


def calendar(*events, header=""):
    """Return an iCalendar file with these events, each given by its lines."""
    head = "\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y", *filter(None, [header])])
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"{head}\n{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def event(start="20261221", *lines, uid="u1"):
    """Return the lines of an event that starts on a date."""
    return "\n".join([f"UID:{uid}", f"DTSTART;VALUE=DATE:{start}", "SUMMARY:Skiing", *lines])
