"""Answers to the slash command /oncall: who is on call, why, until when, and who is next."""

import datetime as dt
from collections.abc import Iterable
from itertools import takewhile

from django.urls import reverse

from common.formatting import format_instant
from notifications.domain.slack import escape, link, shorten
from notifications.queries.outbox import absolute_url
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.responder_chain import ROLE_LABELS, Chain
from scheduling.models import Rotation
from scheduling.queries.on_call import OnCallShift, on_call_shifts, on_call_snapshot

MAX_QUESTION_LENGTH = 200
MAX_LISTED = 20
MAX_ANSWER_LENGTH = 3500


def answer_on_call(question: str, *, reader: User, at: dt.datetime) -> str:
    """Return the answer about a pipeline, a rotation, or "" for all rotations, in Slack's markup."""
    text = " ".join(question.replace("\0", "").split())[:MAX_QUESTION_LENGTH]
    rotations = list(Rotation.objects.active(at=at))
    if text.casefold() in ("", "help"):
        shifts = on_call_shifts(rotations, at=at)
        lines = [_rotation_text(shift, reader=reader) for shift in shifts[:MAX_LISTED]] or [
            "There are no rotations yet."
        ]
        return _join([*lines, "For one rotation or pipeline: `/oncall name`"])
    matches = _matches(text, [*rotations, *Pipeline.objects.order_by("position", "pk")])
    if not matches:
        return f"No pipeline or rotation is called “{escape(text)}”."
    if len(matches) > 1:
        names = "\n".join(f"• {escape(str(row))}" for row in matches[:MAX_LISTED])
        return _join([f"Several names match “{escape(text)}”:\n{names}", "Enter more of the name."])
    [row] = matches
    if isinstance(row, Rotation):
        return _rotation_text(on_call_shifts([row], at=at)[0], reader=reader)
    return _pipeline_text(row, on_call_snapshot([row], at=at).chains[row.pk], reader=reader)


def _join(parts: Iterable[str]) -> str:
    return shorten("\n\n".join(parts), MAX_ANSWER_LENGTH)


def _matches(text: str, rows: Iterable[Rotation | Pipeline]) -> list[Rotation | Pipeline]:
    """Return the rows with this name or slug, or else those whose name contains it."""
    key = match_key(text)
    names = [(row, match_key(str(row))) for row in rows]
    exact = [row for row, name in names if key in (name, match_key(row.slug)) or text.casefold() == row.slug]
    return exact or [row for row, name in names if key and key in name]


def _rotation_text(shift: OnCallShift, *, reader: User) -> str:
    url = absolute_url(reverse("schedule"))
    name = f"*{link(url, str(shift.rotation))}*"
    if shift.engineer is None:
        lines = [f"{name}: nobody is on call."]
    else:
        lines = [f"{name}: *{escape(str(shift.engineer))}* is on call{_until(shift.ends_at, reader)}."]
        if shift.covering:
            lines.append("Why: a cover for part of the shift.")
        elif shift.planned_engineer not in (None, shift.engineer):
            lines.append(f"Why: the shift was reassigned from {escape(str(shift.planned_engineer))}.")
        else:
            lines.append("Why: their shift in the rotation.")
        if not shift.available:
            lines.append("They are away now; the owners of each pipeline respond.")
    if shift.next_engineer is not None and shift.next_starts_at is not None:
        lines.append(f"Next: {escape(str(shift.next_engineer))}, from {_instant(shift.next_starts_at, reader)}.")
    return "\n".join(lines)


def _pipeline_text(pipeline: Pipeline, chain: Chain, *, reader: User) -> str:
    name = f"*{link(absolute_url(reverse('pipeline', args=[pipeline.slug])), str(pipeline))}*"
    available = [row for row in chain.links if row.available]
    if not available:
        lines = [f"{name}: nobody is available. Incidents go to the admins."]
    else:
        lines = [f"{name}: *{escape(str(available[0].engineer))}* responds{_until(chain.until, reader)}."]
        lines.append(f"Why: {ROLE_LABELS[available[0].role]}.")
    lines += [
        f"Skipped: {escape(str(row.engineer))}, {ROLE_LABELS[row.role]} ({escape(row.reason or 'away')})."
        for row in takewhile(lambda row: not row.available, chain.links)
    ]
    if available:
        upcoming = [f"{escape(str(row.engineer))}, {ROLE_LABELS[row.role]}" for row in available[1:2]]
        lines.append(f"Next in the chain: {upcoming[0] if upcoming else 'the admins'}.")
    return "\n".join(lines)


def _until(instant: dt.datetime | None, reader: User) -> str:
    return f" until {_instant(instant, reader)}" if instant is not None else ""


def _instant(instant: dt.datetime, reader: User) -> str:
    return format_instant(instant, reader.zone, brief=True)
