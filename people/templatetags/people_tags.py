"""Template tags for people."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people.domain.names import initials
from people.domain.person import Person
from people.models import User

register = template.Library()


@register.filter
def field_label(name: str) -> str:
    """Return a form field's name as a label."""
    return name.rpartition(".")[2].replace("_", " ").capitalize()


@register.simple_tag
def person(someone: User | Person | None) -> SafeString:
    """Return HTML for a person: initials in their colour, and the name."""
    if someone is None:
        return SafeString('<span class="person person-none">No one</span>')
    return _person_html(str(someone), someone.colour)


@lru_cache(maxsize=4096)
def _person_html(name: str, colour: int) -> SafeString:
    return format_html(
        '<span class="person hue-{}"><span class="person-initials" aria-hidden="true">{}</span>'
        '<span class="person-name" title="{}">{}</span></span>',
        colour,
        initials(name),
        name,
        name,
    )


@register.simple_tag
def contact_link(user: User | None) -> SafeString:
    """Return a link to call the user, else to e-mail them; empty without phone number and e-mail."""
    if user is None or not (user.dial or user.email):
        return SafeString("")
    url, text = (f"tel:{user.dial}", user.phone) if user.dial else (f"mailto:{user.email}", user.email)
    return format_html(
        '<a class="reach" href="{}" title="{}"><span class="visually-hidden">{} {}: </span>{}</a>',
        url,
        text,
        "Call" if user.dial else "E-mail",
        user.display_name,
        text,
    )
