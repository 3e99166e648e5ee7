"""What a calendar client that is not ours finds in feeds and invitations, beside what the site holds."""

from calendar_feeds.models import FeedEvent
from handoffs.models import Handoff
from scheduling.models import Rotation
from tests.handoffs.icaljs import read_by_client

INSTANT = "%Y-%m-%dT%H:%M:%SZ"


class Client:
    """Collects calendars with their expected contents at that moment. All are read at once, because a client takes long to start."""

    def __init__(self):
        self.texts, self.wanted = [], []

    def invited(self, message):
        """Add an invitation with its hand-off: a request has the times of the meeting, a cancellation its version."""
        row = Handoff.objects.get(pk=message.context["handoff_id"])
        event = {"uid": row.uid, "sequence": message.context["sequence"]}
        if message.calendar_method == "REQUEST":
            event |= {
                "starts": ical_time(row.meeting_starts_at),
                "ends": ical_time(row.meeting_ends_at),
                "cancelled": False,
            }
            event |= {"attendees": [f"mailto:{one.email or f'{one.username}@oncall.invalid'}" for one in row.people]}
        self.keep(message.calendar, message.calendar_method, [event])

    def fetched(self, text, owner):
        """Keep a feed with the events that the site has for it."""
        mine = {"rotation" if isinstance(owner, Rotation) else "engineer": owner}
        rows = FeedEvent.objects.filter(**mine).order_by("starts_at", "pk")
        self.keep(text, None, [event_of(row) for row in rows])

    def keep(self, text, method, events):
        self.texts.append(text)
        self.wanted.append((method, events))

    def check(self):
        """Assert that the client reads every calendar, each event of it as the site holds it; return how many events there were."""
        actual = read_by_client(self.texts)
        assert [one["refused"] for one in actual if "refused" in one] == []
        for one, (method, events) in zip(actual, self.wanted, strict=True):
            assert one["method"] == method
            for event, wanted in zip(one["events"], events, strict=True):
                found_here = {name: event[name] for name in wanted}
                assert found_here == wanted, f"{found_here} is not {wanted}"
                assert event["seconds"] > 0
        return sum(len(one["events"]) for one in actual)


def event_of(row):
    """Return an event of a feed as a client names it."""
    days = len(row.content["starts"]) == len("2026-11-23")
    starts, ends = (
        (row.content["starts"], row.content["ends"]) if days else (ical_time(row.starts_at), ical_time(row.ends_at))
    )
    return {
        "uid": row.uid,
        "sequence": row.sequence,
        "starts": starts,
        "ends": ends,
        "summary": row.content["summary"],
        "cancelled": row.cancelled,
    }


def ical_time(instant):
    return instant.strftime(INSTANT)
