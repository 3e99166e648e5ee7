"""Template filters for evidence."""

from django import template

from incidents.models import Evidence
from people.models import User

register = template.Library()


@register.filter
def shows_rows_to(row: Evidence, person: User) -> bool:
    """Return True if a person may see the rows of evidence."""
    return row.shows_rows_to(person)


@register.filter
def cell(value: object) -> str:
    """Return a cell of a row as text: whole numbers without decimals, null as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
