"""What people are told of holidays that fall into on-call weeks."""

import datetime as dt

from notifications.commands import Notice, tell
from notifications.models import Message
from people.models import User
from scheduling.engine.clock import day_in_words
from scheduling.models import HolidayBlock, RotationWeek
from scheduling.notices.words import in_words
from scheduling.queries.answers import answers


def tell_holiday_hits(week: RotationWeek, block: HolidayBlock, *, at: dt.datetime) -> None:
    """Tell an engineer that they are away in their on-call week, and whoever steps in that they will."""
    begin, end = max(week.starts_at, block.starts_at, at), min(week.ends_at, block.ends_at)
    stepping_in: dict[int, list[str]] = {}
    pipelines = {row.pipeline_id: row.pipeline for row in week.rotation.pipelines.select_related("pipeline")}
    for key, chain in answers(pipelines.values(), at=begin).items():
        if chain.responder is not None and chain.responder != week.engineer_id:
            stepping_in.setdefault(chain.responder, []).append(pipelines[key].full_name)
    people = User.objects.in_bulk([*stepping_in, week.engineer_id])
    for key, person in people.items():
        span = f"from {in_words(begin, reader=person)} to {in_words(end, reader=person)}"
        if key == week.engineer_id:
            subject = f"You are away in your on-call week of {day_in_words(week.starts_on)}"
            text = f"You are away {span}. Ask somebody to swap the week or to cover for you: its page suggests whom."
        else:
            subject = f"You step in for {week.engineer}, who is away in their on-call week"
            text = f"{week.engineer} is away {span}. Unless the week is swapped or covered, you answer then for: {', '.join(stepping_in[key])}."
        notice = Notice(
            "holiday-hits",
            event="holiday-hits",
            occurrence=f"{block.pk}.{week.pk}",
            subject=subject,
            text=text,
            path=f"/schedule/{week.starts_on}/",
            due_at=at,
            expires_at=end,
        )
        tell([person], notice=notice)


def holiday_hits_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether a holiday still takes away a part of the on-call week of whose it is."""
    block, week = (int(part) for part in message.occurrence.split("."))
    away = HolidayBlock.objects.filter(pk=block, ends_at__gt=at).first()
    if away is None:
        return False
    hit = RotationWeek.objects.filter(pk=week, engineer=away.engineer_id)
    return hit.touching(starts_at=away.starts_at, ends_at=away.ends_at).exists()
