"""Template tags for dates, durations, page links and confirmations."""

import datetime as dt
import re
import secrets
from functools import lru_cache
from html import unescape

from django import template
from django.template import RequestContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from lucide.templatetags.lucide import lucide

from common.confirmation import Confirmation, sign_confirmation
from common.formatting import DateStyle, format_day, format_duration, format_instant, format_relative, period_parts

register = template.Library()

# Icons for badges that otherwise show a status by colour alone.
BADGE_ICONS = {"ok": "circle-check", "warn": "triangle-alert", "danger": "circle-alert"}


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str) -> SafeString:
    """Return a Lucide icon as inline SVG. Screen readers skip it, so a label must be beside it or name the control.

    Raises lucide.IconDoesNotExist. Size, colour and stroke are in the stylesheet (`.icon`), so that an icon adds only 130 to 300
    bytes to a page and a list can have one in each row.
    """
    svg = lucide(name, size=None)
    shapes = re.sub(r">\s+<", "><", svg[svg.index(">") + 1 : svg.rindex("</svg>")].strip()).replace(" />", "/>")
    return SafeString(f'<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{shapes}</svg>')  # nosec B703  # of the package


@register.simple_tag
def badge_icon(badge: str) -> SafeString:
    """Return the icon for a badge class ("ok", "warn" or "danger"); empty for any other class."""
    return icon(BADGE_ICONS[badge]) if badge in BADGE_ICONS else SafeString("")


@register.filter
def datetime(value: dt.datetime | dt.date | dt.time | None, style: DateStyle = "full") -> str:
    """Return a date, an instant or a time of day in words.

    An instant is in the viewer's zone: a `<time>` element, full or brief, or brief "text" for an attribute. `format_day` has the
    styles of dates.
    """
    if value is None:
        return SafeString('<span class="when">never</span>')
    if isinstance(value, dt.time):
        return f"{value:%H:%M}"
    if not isinstance(value, dt.datetime):
        return format_day(value, style)
    return _instant_html(value.astimezone(dt.UTC), timezone.get_current_timezone(), style)


# A page shows the same few instants hundreds of times. Keys are in UTC: in local time, the two 02:30 of an autumn night
# are equal.
@lru_cache(maxsize=4096)
def _instant_html(value: dt.datetime, zone: dt.tzinfo, style: DateStyle) -> str:
    words = format_instant(value, zone, brief=style in ("brief", "text"))
    return words if style == "text" else _time_element(value, words)


def _time_element(value: dt.datetime, words: str) -> SafeString:
    return format_html(
        '<time class="when" datetime="{}" title="{}">{}</time>',
        value.strftime("%Y-%m-%dT%H:%M:%SZ"),
        value.strftime("%Y-%m-%d %H:%M UTC"),
        words,
    )


@register.simple_tag
def period(starts_at: dt.datetime, ends_at: dt.datetime, style: DateStyle = "full") -> SafeString:
    """Return a period such as "Thu 17 Dec 2026, 13:00 UTC to 17:00 UTC": the end has a date only if it is another day."""
    start, end = period_parts(starts_at, ends_at, timezone.get_current_timezone(), brief=style in ("brief", "text"))
    if style != "text":
        start, end = (_time_element(at.astimezone(dt.UTC), words) for at, words in ((starts_at, start), (ends_at, end)))
    return format_html("{} to {}", start, end)


@register.simple_tag
@lru_cache(maxsize=8192)
def path_to(name: str, *args: object) -> str:
    """Return the path of a page as `{% url %}` does, but cached, for tables with a link in each row."""
    return reverse(name, args=args)


@register.simple_tag(takes_context=True)
def form_key(context: RequestContext) -> SafeString:
    """Return the hidden field that makes a form submitted twice one request (people.middleware.SavedResponseMiddleware).

    The key names the viewer, so that people.unsent_forms shows what was typed to nobody else.
    """
    key = f"{context['user'].pk}-{secrets.token_urlsafe(16)}"
    # Without `autocomplete`, Firefox keeps the old key when the page is reloaded.
    return format_html('<input type="hidden" name="form_key" value="{}" autocomplete="off">', key)


@register.simple_tag(takes_context=True)
def page_url(context: RequestContext, number: int, parameter: str = "") -> str:
    """Return the URL of another page of a list; `parameter` is the page parameter's name if not "page"."""
    query = context.request.GET.copy()
    query[parameter or "page"] = str(number)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def signed_confirmation(context: RequestContext, action: str, question: str, detail: str, button: str) -> str:
    """Return a question to the signed-in user, signed, for the page that asks it."""
    # A component's attributes are rendered already, and so escaped.
    action, question, detail, button = (
        unescape(text) if isinstance(text, SafeString) else text for text in (action, question, detail, button)
    )
    return sign_confirmation(Confirmation(action, question, detail, button, user=context.request.user.pk or 0))


@register.filter
def relative(value: dt.datetime | None, now: dt.datetime | None = None) -> str:
    """Return how long ago or ahead an instant is, with the instant itself in the viewer's zone as a tooltip."""
    if value is None:
        return SafeString('<span class="when">never</span>')
    return format_html(
        '<time class="when" datetime="{}" title="{}">{}</time>',
        value.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        format_instant(value, timezone.get_current_timezone()),
        _unbroken(format_relative(value - (now or timezone.now()))),
    )


@register.filter
def duration(value: dt.timedelta | None) -> str:
    """Return a duration in its two largest units, such as "3 h 5 min"."""
    return _unbroken(format_duration(value))


def _unbroken(words: str) -> str:
    """Return a duration with no-break spaces, so that a line never ends between a number and its unit."""
    return re.sub(r"(?<=\d) ", "\N{NO-BREAK SPACE}", words)
