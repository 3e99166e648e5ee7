"""Icons: all are in the set, hidden from screen readers, and small."""

import re
from pathlib import Path

import pytest
from lucide import IconDoesNotExist

from common.templatetags.common_tags import BADGE_ICONS, badge_icon, icon
from incidents.templatetags.status_tags import STATE_ICONS
from oncall_site.navigation import SECTION_ICONS, SECTIONS
from validation.domain.results import ResultStatus
from validation.templatetags.validation_tags import STATUS_ICONS

TEMPLATES = Path("templates")


def template_icons():
    """Return the names in `{% icon "name" %}` and in its `yesno` form."""
    tags = [tag for path in TEMPLATES.rglob("*.html") for tag in re.findall(r"{% icon (.+?) %}", path.read_text())]
    return {name for tag in tags for text in re.findall(r'"([a-z0-9,-]+)"', tag) for name in text.split(",")}


def test_every_icon_is_in_the_set():
    named = template_icons()
    assert {"search", "chevron-down", "copy", "sun", "moon", "monitor"} <= named
    for name in sorted(
        named | {*BADGE_ICONS.values(), *STATE_ICONS.values(), *SECTION_ICONS.values(), *STATUS_ICONS.values()}
    ):
        svg = icon(name)
        assert svg.startswith('<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><'), name
        assert svg.endswith("/></svg>"), name
        assert len(svg) < 600, name


def test_an_icon_is_only_its_shapes():
    assert icon("check") == '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="M20 6 9 17l-5-5"/></svg>'


def test_an_unknown_icon_is_an_error():
    with pytest.raises(IconDoesNotExist):
        icon("no-such-icon")


def test_a_badge_without_a_colour_has_no_icon():
    assert badge_icon("ok") == icon("circle-check")
    assert badge_icon("") == ""


def test_every_section_and_every_result_has_an_icon():
    assert set(SECTION_ICONS) == {section for section, _ in SECTIONS}
    assert set(STATUS_ICONS) == set(ResultStatus)


def test_no_icon_is_drawn_by_hand():
    css = "".join(path.read_text() for path in Path("oncall_site/static/oncall_site").glob("*.css"))
    assert "data:image" not in css
    assert not re.search(r'content: "[▾✈⇄★🔔]', css)
