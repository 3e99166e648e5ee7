"""What every page's frame needs: the navigation and where to search."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

PAGES = (
    ("Now", "now"),
    ("Schedule", "schedule"),
    ("Calendar", "calendar"),
    ("Pipelines", "pipelines"),
    ("Runbooks", "runbooks"),
    ("Fairness", "fairness"),
)


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A page in the site's navigation."""

    label: str
    url: str
    current: bool


def frame(request: HttpRequest) -> dict[str, object]:
    """Return the navigation, with the page or its chapter marked, and the address of the search page."""
    links = []
    for label, name in PAGES:
        url = reverse(name)
        current = request.path == url if url == "/" else request.path.startswith(url)
        links.append(NavigationLink(label=label, url=url, current=current))
    return {"nav": links, "search_url": reverse("search")}
