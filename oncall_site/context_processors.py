"""What every page may need: the navigation, where to search, the reader's own weeks and holidays."""

from dataclasses import dataclass
from functools import partial

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from calendar_feeds.queries import active_feeds
from people.models import User
from scheduling.queries.holidays import holidays_of
from scheduling.queries.weeks import weeks_held

# A page's label, its name, and the key that opens it after a g.
PAGES = (
    ("Now", "now", "n"),
    ("Incidents", "incidents", "i"),
    ("Schedule", "schedule", "s"),
    ("Calendar", "calendar", "c"),
    ("Swaps", "swaps", "w"),
    ("Hand-offs", "handoffs", "h"),
    ("Pipelines", "pipelines", "p"),
    ("Checks", "checks", "k"),
    ("Runbooks", "runbooks", "r"),
    ("Fairness", "fairness", "f"),
)


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A page in the site's navigation."""

    label: str
    key: str
    url: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return the navigation, with the page or its chapter marked, and the address of the search page."""
    links = []
    for label, name, key in PAGES:
        url = reverse(name)
        current = request.path == url if url == "/" else request.path.startswith(url)
        links.append(NavigationLink(label=label, key=key, url=url, current=current))
    return {"nav": links, "search_url": reverse("search"), **_mine(request)}


def _mine(request: HttpRequest) -> dict[str, object]:
    """Return what a page may show of the reader's own schedule: read only where a template asks for it."""
    # A request refused before sign-in was looked at, for its host say, has no user; its error page has this frame too.
    reader, at = getattr(request, "user", None), timezone.now()
    if not isinstance(reader, User):
        return {}
    return {
        "my_weeks": partial(weeks_held, reader, at=at),
        "my_holidays": partial(holidays_of, reader, at=at),
        "my_feeds": partial(active_feeds, reader),
    }
