"""Template tags for the schedule's charts."""

from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.formatting import format_instant
from common.templatetags.common_tags import datetime, path_to
from people.models import User
from people.templatetags.people_tags import person
from scheduling.domain.timeline_layout import CONFLICT_HEIGHT, Row
from scheduling.models import HolidayBlock
from scheduling.presenters import TimelineBar

register = template.Library()

WIDTH = 72


@register.simple_tag
def share(count: int, total: int) -> SafeString:
    """Return a number with a bar for its share of the whole; the number is the bar's text alternative."""
    length = min(WIDTH, round(WIDTH * count / total)) if total else 0
    return format_html(
        '<span class="share"><span class="share-number">{}</span>'
        '<svg class="bar" width="{}" height="10" aria-hidden="true"><rect width="{}" height="10" rx="2"></rect></svg></span>',
        count,
        WIDTH,
        length,
    )


@register.simple_tag
def absence_period(absence: HolidayBlock) -> SafeString:
    """Return an absence's period in the viewer's zone; if its engineer's zone differs, their dates are on hover."""
    zone = timezone.get_current_timezone()
    starts, ends = absence.starts_at.astimezone(zone), absence.ends_at.astimezone(zone)
    own_starts = absence.starts_at.astimezone(ZoneInfo(absence.time_zone))
    own_ends = absence.ends_at.astimezone(ZoneInfo(absence.time_zone))
    has_hours = absence.starts_at_time or absence.ends_at_time
    own = f"{absence.days} ({absence.time_zone})"
    if (starts.utcoffset(), ends.utcoffset()) == (own_starts.utcoffset(), own_ends.utcoffset()):
        return format_html(
            '<span class="when" title="{}">{}</span>', own, f"{absence.days} {starts:%Z}" if has_hours else absence.days
        )
    first, last = (format_instant(at, zone, brief=True) for at in (starts, ends))
    return format_html('<span class="when" title="{}">{} – {}</span>', own, first, last)


@register.simple_tag
def absence_dates(absence: HolidayBlock) -> str:
    """Return an absence's first and last day, as its engineer typed them."""
    first, last = datetime(absence.starts_on), datetime(absence.ends_on)
    return first if first == last else f"{first} to {last}"


@register.filter
def kind_for(absence: HolidayBlock, reader: User) -> str:
    """Return the label of an absence's kind as `reader` sees it: colleagues see "Away" for a private kind."""
    return "Away" if absence.hides_kind_from(reader) else absence.get_kind_display()


# A timeline has hundreds of bars, each of which is also a row of the table. Templates for them took most of the page's
# time.
BAR_HTML = (
    '<a class="{}" href="{}#{}" aria-label="{name}" data-from="{}" data-to="{}"><title>{name}</title>'
    '<rect x="{x}" width="{width}" y="{y}" height="{height}" rx="3"></rect>{}{}</a>'
)
CONFLICT_HTML = '<rect class="conflict" x="{}" width="{}" y="{}" height="{}"></rect>'
BAR_LABEL = '<svg x="{}" width="{}" y="{}" height="{}"><text x="5" y="{}">{}{}{}</text></svg>'
ROW_HTML = (
    '<tr{}><th scope="row"><a href="{}#{}">{}</a>{}</th><td data-label="Until" data-lead="until">{}</td>'
    '<td data-label="On call">{}</td><td data-label="Notes"{}>{}</td></tr>'
)

NOW_ROW, PAST_ROW = SafeString(' aria-current="time"'), SafeString(' class="past"')


@register.simple_tag
def shift_bar(bar: TimelineBar, row: Row, slug: str) -> SafeString:
    """Return a bar of the timeline in its engineer's row, a link to its shift; `slug` is the rotation's."""
    shift, y, height = bar.bar, row.bar_y, row.bar_height
    x, width = shift.band.x, shift.band.width
    conflicts = format_html_join(
        "", CONFLICT_HTML, ((band.x, band.width, row.conflict_y, CONFLICT_HEIGHT) for band in shift.conflicts)
    )
    marks = ("⚠ " if shift.conflicts else "", "⇄ " if shift.is_swapped else "")
    label = format_html(BAR_LABEL, x, width, y, height, row.text_y, *marks, bar.label) if bar.label else ""
    return format_html(
        BAR_HTML,
        bar.css_class,
        path_to("week", shift.week),
        slug,
        shift.starts_at.isoformat(),
        shift.ends_at.isoformat(),
        conflicts,
        label,
        name=bar.name,
        x=x,
        width=width,
        y=y,
        height=height,
    )


@register.simple_tag
def shift_row(bar: TimelineBar, slug: str) -> SafeString:
    """Return a bar of the timeline as a row of its table; `slug` is the rotation's."""
    shift = bar.bar
    notes = [
        (kind, text)
        for kind, text, applies in (
            ("info", "Cover", shift.is_cover),
            ("info", "Swapped", shift.is_swapped),
            ("info", "Swap requested", bar.is_offered),
            ("danger", "On call while away", bool(shift.conflicts)),
        )
        if applies
    ]
    whose = {"Cover": f" for {shift.other}", "Swapped": f" planned: {shift.other}"}
    return format_html(
        ROW_HTML,
        NOW_ROW if bar.is_now else PAST_ROW if bar.is_past else "",
        path_to("week", shift.week),
        slug,
        datetime(shift.starts_at, "brief"),
        SafeString(' <span class="badge info">Now</span>') if bar.is_now else "",
        datetime(shift.ends_at, "brief"),
        person(shift.engineer),
        "" if notes else SafeString(' class="wide-only"'),
        format_html_join(
            " ", '<span class="badge {}">{}</span>{}', ((kind, text, whose.get(text, "")) for kind, text in notes)
        ),
    )
