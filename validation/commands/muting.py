"""A check is quiet for a while, always with an end."""

import datetime as dt

from people.refusals import Invalid
from validation.models import Check

LONGEST = dt.timedelta(days=92)


def mute_check(check: Check, *, until: dt.datetime, at: dt.datetime) -> Check:
    """Let a check begin no alert until an instant; raise Invalid for `until`."""
    if until <= at:
        raise Invalid({"until": ["It is over already."]})
    if until - at > LONGEST:
        raise Invalid({"until": ["A check is muted for three months at most."]})
    Check.objects.filter(pk=check.pk).update(muted_until=until)
    check.muted_until = until
    return check


def unmute_check(check: Check) -> Check:
    """Let a check speak again."""
    Check.objects.filter(pk=check.pk).update(muted_until=None)
    check.muted_until = None
    return check
