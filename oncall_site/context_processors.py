"""Template context of every page: navigation, search URL, and the user's own schedule."""

from dataclasses import dataclass
from functools import partial

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from calendar_feeds.queries import active_feeds
from people.models import User
from scheduling.queries.holidays import upcoming_holidays
from scheduling.queries.weeks import weeks_held

# Label, URL name, and the key that opens the page after “g”.
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
    """A link of the site navigation."""

    label: str
    key: str
    url: str
    current: bool


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return the navigation with the current section marked, the search URL, and the user's schedule."""
    links = []
    for label, name, key in PAGES:
        url = reverse(name)
        current = request.path == url if url == "/" else request.path.startswith(url)
        links.append(NavigationLink(label=label, key=key, url=url, current=current))
    return {"nav": links, "search_url": reverse("search"), **_own_schedule(request)}


def _own_schedule(request: HttpRequest) -> dict[str, object]:
    """Return functions that query the user's own schedule, called only if a template uses them."""
    # A request that is rejected before authentication, such as one for an unknown host, has no user.
    user, at = getattr(request, "user", None), timezone.now()
    if not isinstance(user, User):
        return {}
    return {
        "my_weeks": partial(weeks_held, user, at=at),
        "my_holidays": partial(upcoming_holidays, user, at=at),
        "my_feeds": partial(active_feeds, user),
    }
