"""Template context of every page: navigation, theme, and the user's own schedule."""

from dataclasses import dataclass
from functools import lru_cache, partial

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse
from django.utils import timezone

from oncall_site.navigation import ACCOUNT_PAGES, OTHER_PATHS, SECTION_ICONS, SECTIONS
from oncall_site.onboarding import engineer_steps, setup_progress
from people.models import User
from scheduling.queries.holidays import upcoming_holidays
from scheduling.queries.swaps import grouped_swaps
from scheduling.queries.weeks import covers_held, weeks_held

ALL_SECTIONS = (*SECTIONS, ("Account", ACCOUNT_PAGES))


@dataclass(frozen=True, slots=True)
class NavigationLink:
    """A page of a section; `current` is True for it and the pages below it."""

    label: str
    key: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class NavigationSection:
    """A section of the site with its pages."""

    label: str
    icon: str
    url: str
    current: bool
    pages: tuple[NavigationLink, ...]


def navigation(request: HttpRequest) -> dict[str, object]:
    """Return the navigation with the current section and page marked, the theme, and the user's schedule."""
    urls = _page_urls(get_script_prefix())
    current = _current_page(getattr(request, "navigation_path", request.path), urls)
    sections = [
        NavigationSection(
            label=section,
            icon=SECTION_ICONS.get(section, ""),
            url=urls[pages[0][1]],
            current=any(name == current for _, name, _ in pages),
            pages=tuple(NavigationLink(label, key, urls[name], name == current) for label, name, key in pages),
        )
        for section, pages in ALL_SECTIONS
    ]
    theme = request.COOKIES.get("theme", "")
    return {
        "nav_sections": sections[: len(SECTIONS)],
        "account_pages": sections[-1].pages,
        "nav_tabs": next((section.pages for section in sections if section.current and len(section.pages) > 1), ()),
        "theme": theme if theme in ("light", "dark") else "",
        **_own_schedule(request),
    }


@lru_cache(maxsize=1)
def _page_urls(prefix: str) -> dict[str, str]:
    """Return the URL of each page in the navigation by its name, under the script prefix."""
    return {name: reverse(name) for _, pages in ALL_SECTIONS for _, name, _ in pages}


def _current_page(path: str, urls: dict[str, str]) -> str:
    """Return the URL name of the page with the longest URL that the path starts with."""
    matches = [(len(url), name) for name, url in urls.items() if (path == url if url == "/" else path.startswith(url))]
    matches += [(len(start), name) for start, name in OTHER_PATHS if path.startswith(start)]
    return max(matches, default=(0, ""))[1]


def _own_schedule(request: HttpRequest) -> dict[str, object]:
    """Return functions that query the user's own schedule, called only if a template uses them."""
    # A request that is rejected before authentication, such as one for an unknown host, has no user.
    user, at = getattr(request, "user", None), timezone.now()
    if not isinstance(user, User):
        return {}
    return {
        "my_weeks": partial(weeks_held, user, at=at),
        "my_covers": partial(covers_held, user, at=at),
        "my_holidays": partial(upcoming_holidays, user, at=at),
        "my_swaps": partial(grouped_swaps, user, at=at),
        "my_steps": partial(engineer_steps, user),
        "my_setup": partial(setup_progress, user),
    }
