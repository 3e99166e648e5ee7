"""How people and instants are written on every page."""

import datetime as dt

from django import template
from django.template import RequestContext
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.instants import instant_in_words
from people.models import User

register = template.Library()


def initials(user: User) -> str:
    """Return up to two letters for a person: of the first and the last word of the name."""
    words = user.display_name.split()
    return "".join(word[0] for word in ([words[0], words[-1]] if len(words) > 1 else words)).upper()


@register.simple_tag
def person(user: User | None) -> SafeString:
    """Return a person's chip: initials in their colour, and the name."""
    if user is None:
        return SafeString('<span class="person person-none">nobody</span>')
    return format_html(
        '<span class="person hue-{}"><span class="person-initials" aria-hidden="true">{}</span>'
        '<span class="person-name">{}</span></span>',
        user.colour,
        initials(user),
        user.display_name,
    )


@register.simple_tag
def reach(user: User | None) -> SafeString:
    """Return a link that calls a person, or writes to who has no telephone number here; nothing where there is neither."""
    if user is None or not (user.dial or user.email):
        return SafeString("")
    address, words = (f"tel:{user.dial}", user.phone) if user.dial else (f"mailto:{user.email}", user.email)
    return format_html(
        '<a class="reach" href="{}"><span class="visually-hidden">{} {}: </span>{}</a>',
        address,
        "Call" if user.dial else "Write to",
        user.display_name,
        words,
    )


@register.simple_tag
def when(instant: dt.datetime | None, *, brief: bool = False) -> SafeString:
    """Return an instant with weekday, date, time and zone, in the viewer's zone, as a `<time>`; brief: without the year."""
    if instant is None:
        return SafeString('<span class="when">never</span>')
    return format_html(
        '<time class="when" datetime="{}" title="{}">{}</time>',
        instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        instant.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        instant_in_words(instant, timezone.get_current_timezone(), brief=brief),
    )


@register.simple_tag(takes_context=True)
def other_page(context: RequestContext, number: int, parameter: str = "") -> str:
    """Return the address of another page of a list, with all else that is asked; `parameter` where it is not called page."""
    asked = context.request.GET.copy()
    asked[parameter or "page"] = str(number)
    return f"?{asked.urlencode()}"
