"""The rows that the rules speak of: everything that can belong to somebody belongs to engineer A."""

import datetime as dt

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import MD5PasswordHasher
from django.utils import timezone

from handoffs.commands import add_item, keep_handoffs, make_feed
from handoffs.models import Handoff
from people.commands import create_token, invite
from people.queries import secret_of
from runbooks.commands import save_revision
from scheduling.commands import (
    Asked,
    Dates,
    RotationText,
    Span,
    block_holiday,
    create_rotation,
    join_rotation,
    link_calendar,
    request_swap,
    set_roster,
    take_cover,
)
from tests.make import PASSWORD, make_engineer, make_pipeline, make_runbook

NEW_PASSWORD = "another long passphrase"


def make_world():
    """Return the words of the rules, and the people: owner, stranger, admin."""
    at = timezone.now()
    admin = make_engineer("Admin", is_staff=True)
    a, b, c, d = (make_engineer(f"Engineer {letter}", email=f"{letter}@example.org") for letter in "ABCD")
    for user in (admin, a, d):
        user.password = MD5PasswordHasher().encode(PASSWORD, "a salt of tests")
        user.save(update_fields=["password"])
    pipeline = make_pipeline("Unit profit", primary=b, secondary=c)
    other = make_pipeline("Daily growth", primary=c, secondary=b, position=1)
    runbook = make_runbook(pipeline, author=b)
    save_revision(runbook, markdown="### Purpose\n\nTo be more useful.", based_on=1, author=b)
    rotation, weeks = _rotation((a, b, c, d), at=at)
    join_rotation(rotation, pipelines=[pipeline, other])
    # The owner's second week to come is free of swaps and covers; the first two weeks of A and B are asked for.
    [a1, a2], [b1, b2], [d1, *_] = (
        [week for week in weeks if week.engineer == who][:2] if who != d else [w for w in weeks if w.engineer == d]
        for who in (a, b, d)
    )
    asked = request_swap(rotation, asked=Asked(b1.starts_on, a1.starts_on), by=b, at=at)
    asking = request_swap(rotation, asked=Asked(a1.starts_on, counterpart=b), by=a, at=at)
    span = Span(a, b2.starts_at, b2.starts_at + dt.timedelta(hours=5))
    cover = take_cover(rotation, span=span, by=a, at=at)
    holiday = block_holiday(a, dates=Dates(a2.starts_on, a2.starts_on, note="a private note"), by=a)
    keep_handoffs(at=at)
    handoff = Handoff.objects.filter(outgoing=a).order_by("at")[0]
    feed = make_feed(a, rotation=None, at=at)
    words = {
        "handoff": handoff.pk,
        "meeting": f"{handoff.at + dt.timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "item": add_item(rotation, text="something left to do", by=a, at=at).pk,
        "feed": feed.token.pk,
        "feed_secret": feed.secret,
        "pipeline": pipeline.slug,
        "other_pipeline": other.slug,
        "rotation": rotation.slug,
        "week": a2.starts_on,
        "year": a2.starts_on.year,
        "month": a2.starts_on.month,
        "later_week": d1.starts_on,
        "later_engineer": d.username,
        "free_engineer": c.username,
        "asked": asked.pk,
        "asking": asking.pk,
        "cover": cover.pk,
        "holiday": holiday.pk,
        "token": create_token(a, name="owned").token.pk,
        "secret": secret_of(invite(b, by=admin, at=at)),
        "owner_pk": a.pk,
        "password": PASSWORD,
        "new_password": NEW_PASSWORD,
    }
    TOTP.activate(a, generate_totp_secret())
    RecoveryCodes.activate(a)
    link_calendar(a, address="https://127.0.0.1/mine.ics", by=a)
    return words, {"owner": a, "stranger": d, "admin": admin}


def _rotation(engineers, *, at):
    rotation = create_rotation(RotationText("Weekly", "", "Policy", "", ()), time_zone="UTC")
    set_roster(rotation, engineers=engineers, starts_on=at.date() - dt.timedelta(days=at.weekday()), at=at)
    rows = rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on")
    return rotation, list(rows)
