"""Durations as text; every page, mail and result uses this format."""

import datetime as dt


def format_duration(span: dt.timedelta | None) -> str:
    """Return a duration in its two largest units: "45 s", "12 min", "1 h 5 min", "3 d 2 h"; "–" for None."""
    if span is None:
        return "–"
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:  # a minute
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"
