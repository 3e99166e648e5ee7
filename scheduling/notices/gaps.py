"""What admins are told of moments that nobody covers."""

import datetime as dt
from collections.abc import Sequence

from notifications.commands import Notice, tell
from notifications.models import Message
from scheduling.models import UncoveredMoment
from scheduling.notices.words import admins, at_most, in_words

SOON = dt.timedelta(days=1)


def tell_uncovered(gaps: Sequence[UncoveredMoment], *, at: dt.datetime) -> None:
    """Tell the admins which moments nobody covers that were covered before; those within a day cannot wait."""
    for urgent in (True, False):
        some = [gap for gap in gaps if (gap.starts_at < at + SOON) == urgent]
        for admin in admins() if some else []:
            lines = [
                f"{gap.pipeline.full_name}: {in_words(gap.starts_at, reader=admin)} to {in_words(gap.ends_at, reader=admin)}"
                for gap in some
            ]
            notice = Notice(
                "uncovered-now" if urgent else "uncovered",
                event="uncovered",
                occurrence=f"{min(gap.pk for gap in some)}-{max(gap.pk for gap in some)}",
                subject=f"Nobody covers {some[0].pipeline.full_name}"
                + (f" and {len(some) - 1} more" if some[1:] else ""),
                text="Nobody is available for:\n\n" + "\n".join(at_most(lines)),
                path="/schedule/",
                due_at=at,
                expires_at=max(gap.ends_at for gap in some),
            )
            tell([admin], notice=notice)


def uncovered_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether any of the moments told of is still uncovered."""
    first, _, last = message.occurrence.partition("-")
    return UncoveredMoment.objects.filter(pk__range=(int(first), int(last)), ends_at__gt=at).exists()
