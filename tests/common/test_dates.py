"""Dates and instants in words: one filter with named styles, in every template."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from django.template import engines
from django.utils import timezone

from common.formatting import format_instant, format_minutes, format_number, format_relative, parse_minutes
from tests.each import each
from tests.test_language import ROOT, template_files

DAY = dt.date(2026, 11, 3)
INSTANT = dt.datetime(2026, 11, 3, 9, 5, tzinfo=dt.UTC)
ELEMENT = '<time class="when" datetime="2026-11-03T09:05:00Z" title="2026-11-03 09:05 UTC">{}</time>'


def render(value, style=""):
    source = f'{{{{ value|datetime:"{style}" }}}}' if style else "{{ value|datetime }}"
    return engines["django"].from_string(source).render({"value": value})


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("", "Tue 3 Nov 2026"),
        ("brief", "Tue 3 Nov"),
        ("date", "3 Nov 2026"),
        ("short", "3 Nov"),
        ("month", "November 2026"),
    ],
)
def test_a_date_is_written_in_a_named_style(style, text):
    assert render(DAY, style) == text


@pytest.mark.parametrize(
    ("zone", "style", "text"),
    [
        ("UTC", "", "Tue 3 Nov 2026, 09:05 UTC"),
        ("Europe/Berlin", "", "Tue 3 Nov 2026, 10:05 CET"),
        ("Asia/Tokyo", "brief", "Tue 3 Nov, 18:05 JST"),
    ],
)
def test_an_instant_is_written_in_the_viewers_zone_and_names_it(zone, style, text):
    with timezone.override(ZoneInfo(zone)):
        assert render(INSTANT, style) == ELEMENT.format(text)


def test_one_instant_has_the_date_of_each_zone():
    at = dt.datetime(2026, 11, 29, 14, tzinfo=dt.UTC)
    zones = ("UTC", "Pacific/Kiritimati", "UTC")
    assert [format_instant(at, ZoneInfo(zone)) for zone in zones] == [
        "Sun 29 Nov 2026, 14:00 UTC",
        "Mon 30 Nov 2026, 04:00 +14",
        "Sun 29 Nov 2026, 14:00 UTC",
    ]


def test_a_time_of_day_and_nothing():
    assert render(dt.time(9, 5)) == "09:05"
    assert render(None) == '<span class="when">never</span>'


def test_no_template_formats_dates_itself():
    pattern = re.compile(r"\|\s*(?:date|time)\b|{% (?:datetime|now)\b")
    actual = {path: pattern.findall((ROOT / path).read_text()) for path in template_files()}
    assert {path: formats for path, formats in actual.items() if formats} == {}


@each(
    ("text", "minutes"),
    [
        ("90", 90),
        ("1,560", 1560),
        ("45 min", 45),
        ("2h", 120),
        ("1 h 30 min", 90),
        ("1 d 2 h 5 min", 1565),
        ("0 min", 0),
        ("2 days", 2880),
    ],
)
def test_a_duration_is_read_in_minutes(text, minutes):
    assert parse_minutes(text) == minutes
    assert parse_minutes(format_minutes(minutes)) == minutes


@each("text", ["", " ", "soon", "-5", "1.5 h", "1 h 2 d", "٣ h", "99999999"])
def test_anything_else_is_not_a_duration(text):
    with pytest.raises(ValueError, match="Enter a duration"):
        parse_minutes(text)


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "just now"), (-12, "12 min ago"), (185, "in 3 h"), (-60 * 50, "2 d ago")]
)
def test_near_instants_are_relative(minutes, words):
    assert format_relative(dt.timedelta(minutes=minutes)) == words


def test_a_line_of_a_page_does_not_end_between_a_number_and_its_unit():
    template = engines["django"].from_string("{{ span|duration }}; {{ at|relative:now }}")
    text = template.render(
        {"span": dt.timedelta(days=2, hours=3), "at": INSTANT, "now": INSTANT + dt.timedelta(days=5)}
    )
    space = "\N{NO-BREAK SPACE}"
    assert re.sub(r"<.+?>", "", text) == f"2{space}d 3{space}h; 5{space}d ago"


def test_a_period_within_a_day_has_its_date_once():
    source = '{% period starts ends "text" %}'

    def words(**length):
        return (
            engines["django"].from_string(source).render({"starts": INSTANT, "ends": INSTANT + dt.timedelta(**length)})
        )

    with timezone.override("Europe/Berlin"):
        assert words(hours=4) == "Tue 3 Nov, 10:05 CET to 14:05 CET"
        assert words(hours=14) == "Tue 3 Nov, 10:05 CET to Wed 4 Nov, 00:05 CET"
    page = (
        engines["django"]
        .from_string("{% period starts ends %}")
        .render({"starts": INSTANT, "ends": INSTANT + dt.timedelta(hours=1)})
    )
    end = '<time class="when" datetime="2026-11-03T10:05:00Z" title="2026-11-03 10:05 UTC">10:05 UTC</time>'
    assert page == f"{ELEMENT.format('Tue 3 Nov 2026, 09:05 UTC')} to {end}"


@each(
    "value, text",
    [
        (0, "0"),
        (-12_300, "-12,300"),
        (0.04213, "0.04213"),
        (1234.56, "1,234.6"),
        (999_999_999_999_999, "999,999,999,999,999"),
        (1e15, "1e+15"),
        (-9.123456e307, "-9.123e+307"),
    ],
)
def test_a_number_is_short(value, text):
    assert format_number(value) == text
