"""A page with a tab has the name of its tab everywhere."""

import html
import re
from pathlib import Path

import pytest
from django.urls import reverse

from oncall_site.navigation import ACCOUNT_PAGES, SECTIONS
from tests.each import each
from tests.factories import import_example
from tests.snapshots import this_minute

PAGES = [*((section, page) for section, pages in SECTIONS for page in pages), *(("", page) for page in ACCOUNT_PAGES)]
LABELS = {name: label for _, (label, name, _) in PAGES}
TEMPLATES = Path(__file__).parents[2] / "templates"
TRAIL = re.compile(r"<c-breadcrumbs\b.*?</c-breadcrumbs>", re.DOTALL)
LINK = re.compile(r'<a href="{% url "([\w:]+)"[^"]*%}">(.*?)</a>', re.DOTALL)


@pytest.fixture
def browser(db, admin, signed_in):
    import_example(at=this_minute())
    return signed_in(admin)


def words(text):
    return html.unescape(" ".join(re.sub("<small>.*</small>|<[^>]+>", "", text, flags=re.DOTALL).split()))


@each("page", PAGES)
def test_a_page_with_a_tab_has_its_name_as_heading_title_and_current_tab(page, browser):
    section, (label, name, _) = page
    text = browser.get(reverse(name), follow=True).content.decode()
    assert words(re.search("<h1[^>]*>(.*?)</h1>", text, re.DOTALL)[1]) == label
    title = words(re.search("<title>(.*?)</title>", text, re.DOTALL)[1])
    assert re.sub(r"^\(\d+\) ", "", title).removesuffix(" · On call").split(",")[0] == label
    tabs = [words(link) for link in re.findall(r'<a [^>]*aria-current="page"[^>]*>(.*?)</a>', text, re.DOTALL)]
    sections = [words(link) for link in re.findall(r'<a [^>]*aria-current="true"[^>]*>(.*?)</a>', text, re.DOTALL)]
    # A section with one page has no tabs; the settings are in the user's menu.
    assert set(tabs) == (set() if label == section == "Now" else {label})
    assert section in ("", *sections)
    # The tabs are the way up.
    assert 'class="breadcrumbs"' not in text


def test_breadcrumbs_name_a_page_with_a_tab_like_its_tab():
    links = [
        (path.name, name, words(label))
        for path in sorted(TEMPLATES.rglob("*.html"))
        for trail in TRAIL.findall(path.read_text(encoding="utf-8"))
        for name, label in LINK.findall(trail)
        if name in LABELS
    ]
    assert links
    assert [link for link in links if link[2] != LABELS[link[1]]] == []
