"""Template tags for the schedule's charts."""

from zoneinfo import ZoneInfo

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.formatting import format_instant
from people.models import User
from scheduling.models import HolidayBlock

register = template.Library()

WIDTH = 72


@register.simple_tag
def share(count: int, whole: int) -> SafeString:
    """Return a number with a bar for its share of the whole; the number is the bar's text alternative."""
    length = min(WIDTH, round(WIDTH * count / whole)) if whole else 0
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


@register.filter
def kind_for(absence: HolidayBlock, reader: User) -> str:
    """Return the label of an absence's kind as `reader` sees it: colleagues see "Away" for a private kind."""
    return "Away" if absence.hides_kind_from(reader) else absence.get_kind_display()
