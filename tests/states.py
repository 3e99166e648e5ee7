"""`python -m tests.states STATE PASSWORD`: fills the empty site in ONCALL_VAR for `make screenshots`."""

import datetime as dt
import itertools
import os
import random
import sys
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "oncall_site.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from common.exceptions import DomainError
from handbook.services import import_handbook
from handoffs.models import Handoff
from handoffs.services.action_items import add_item
from handoffs.services.meetings import sync_handoffs
from handoffs.services.sheets import sign_handoff
from incidents.services.evidence import claim_evidence, request_evidence, run_evidence
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import NewIncident, acknowledge, open_incident, resolve
from incidents.services.triggers import sync_with_checks
from oncall_site.demo import DEMO_FILE, DEMO_SOURCE, build_demo
from oncall_site.demo_evidence import add_evidence
from oncall_site.demo_history import build_history, first_week
from oncall_site.demo_lineage import build_lineage
from oncall_site.management.commands.create_demo import EXAMPLE
from people.models import User
from people.services.accounts import change_profile, set_password
from pipelines.services import Owners, create_pipeline
from runbooks.models import Runbook
from runbooks.services import create_runbook, save_revision
from scheduling.models import HolidayBlock, Rotation
from scheduling.services.covers import CoverData, create_cover
from scheduling.services.holidays import HolidayData, create_holiday
from scheduling.services.rosters import set_roster
from scheduling.services.rotations import RotationText, import_rotation, join_rotation
from scheduling.services.swaps import SwapProposal, accept_swap, request_swap
from scheduling.services.weeks import ensure_weeks
from tests.factories import current_monday, make_engineer
from validation.models import Check, DataSource, Metric
from validation.services.checks import create_check
from validation.services.metrics import save_metric
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks, run_check

YEAR, DAY, WEEK = dt.timedelta(weeks=52), dt.timedelta(days=1), dt.timedelta(weeks=1)
TEAMS = ("Growth", "Finance", "Logistics", "Marketing", "Platform", "Experiments")
FIRST_NAMES = [
    "Ada",
    "Björn",
    "Chidi",
    "Dolores",
    "Emeka",
    "Farah",
    "Giulia",
    "Hana",
    "Ines",
    "José",
    "Katarína",
    "Lars",
    "Mei",
    "Noor",
    "Olu",
    "Priya",
    "Quentin",
    "Rosa",
]
LAST_NAMES = [
    "Okafor",
    "Lindqvist",
    "Haddad",
    "Nakamura",
    "García-Márquez",
    "O’Neill",
    "van-den-Berg",
    "Kowalczyk",
    "Sørensen",
    "Ivanova",
    "Oyelaran",
]
PLACES = (("Europe/Berlin", "DE"), ("Europe/London", "GB"), ("America/New_York", "US"), ("Asia/Kolkata", "IN"))
NOUNS = (
    "Orders Refunds Sign-ups Sessions Invoices Payouts Shipments Returns Searches Subscriptions Churn Campaigns Reviews"
)
VIEWS = (
    "by country", "by week", "per user", "intraday", "(investor-focused)", "per experiment (experiment-focused)", "by channel",
    "late arrivals", "by device", "forecast", "per warehouse and carrier", "by cohort", "year to date", "by currency", "backfill",
)  # fmt: skip
TROUBLES = ("Logs arrive late", "Fewer rows than yesterday", "The load has stopped", "Two currencies are mixed")
RUNBOOK = """### Purpose

Who reads these numbers, and by when they must be there.

### Troubleshooting Steps

1. Look whether the logs are late.
2. Run the failed tasks again.
3. Tell who reads the numbers.
"""
dice = random.Random(9)


@dataclass(frozen=True)
class Size:
    """The size of a site."""

    engineers: int
    pipelines: int
    incidents: int
    metrics: int
    # For which there are hand-offs.
    past_weeks: int = 8


COMPANY = Size(engineers=40, pipelines=200, incidents=120, metrics=60)


def fill_full(admin, *, at, size):
    """Fill the site of a company: engineers in 7 rotations, pipelines, and a year of history."""
    people = list(User.objects.exclude(pk=admin.pk).order_by("pk"))
    people += [make_engineer(name, **_place(n)) for n, name in enumerate(_names(size.engineers - len(people)))]
    rotations = [Rotation.objects.get(), *_rotations(people[4:], at=at)]
    pipelines = _pipelines(people, rotations[1:], size.pipelines - 5)
    _holidays(people, by=admin, at=at)
    for rotation in rotations:
        ensure_weeks(rotation, today=at.date())
        _exchanges(rotation, by=admin, at=at)
    _handoffs(rotations, weeks=size.past_weeks, by=admin, at=at)
    _incidents(pipelines, people, count=size.incidents, at=at)
    _checks(pipelines[: size.metrics], by=admin, at=at)


def _names(wanted):
    pairs = zip(itertools.cycle(FIRST_NAMES), itertools.cycle(LAST_NAMES))
    return [f"{first} {last.replace('-den-', ' den ')}" for first, last in itertools.islice(pairs, wanted)]


def _place(number):
    zone, country = PLACES[number % len(PLACES)]
    reach = {"email": f"engineer-{number}@example.org", "phone": f"+44 7700 9001{number:02}" if number % 5 else ""}
    return {"time_zone": zone, "country": country, "colour": number % 12 + 1, **reach}


def _rotations(people, *, at):
    first, each = current_monday(at) - YEAR, len(people) // len(TEAMS)
    for number, team in enumerate(TEAMS):
        members = people[number * each : (number + 1) * each]
        text = RotationText(f"{team} rotation", f"Responder of {team.lower()}.", "Holiday policy", "", ())
        rotation = import_rotation(text, time_zone=members[0].time_zone)
        set_roster(rotation, engineers=members, starts_on=first, at=at - YEAR)
        yield rotation


def _pipelines(people, rotations, count):
    names = [f"{noun} {view}" for view in VIEWS for noun in NOUNS.split()][:count]
    created = []
    for place, name in enumerate(names):
        primary, secondary = dice.sample(people, 2)
        created.append(create_pipeline(name, owners=Owners(primary=primary, secondary=secondary), position=place + 5))
        if place % 3 == 0:
            create_runbook(created[-1], title=name, markdown=RUNBOOK, author=primary)
    for number, rotation in enumerate(rotations):
        join_rotation(rotation, pipelines=created[number :: len(rotations)])
    return created


def _holidays(people, *, by, at):
    kinds = [*[HolidayBlock.Kind.HOLIDAY] * 4, HolidayBlock.Kind.SICK, HolidayBlock.Kind.TRAINING]
    for engineer in people:
        for quarter in range(-4, 4):
            day = at.date() + dt.timedelta(days=91 * quarter + dice.randrange(90))
            kind = dice.choice(kinds)
            last = day + dt.timedelta(days=dice.choice([0, 2, 4, 11]))
            create_holiday(engineer, data=HolidayData(day, last, kind=kind), by=by)


def _exchanges(rotation, *, by, at):
    """Ask for five swaps, accept two of them, and cover a day of the coming week."""
    weeks = list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
    for place in range(1, 11, 2):
        asked = SwapProposal(weeks[place].starts_on, weeks[place + 1].starts_on, acknowledge_conflicts=True)
        swap = request_swap(rotation, proposal=asked, by=by, at=at)
        if place < 4:
            accept_swap(swap, by=by, at=at, acknowledge_conflicts=True)
    day = weeks[0].starts_at + 2 * DAY
    for other in weeks[1:4]:
        try:
            create_cover(rotation, data=CoverData(other.engineer, day, day + DAY, "dentist"), by=by, at=at)
        except DomainError:
            continue
        return


def _handoffs(rotations, *, weeks, by, at):
    sync_handoffs(at=at - weeks * WEEK)
    for row in Handoff.objects.with_people().filter(at__lt=at):
        # The newest but one of each rotation lacks a signature.
        for person in row.people[: 1 if at - row.at < WEEK else 2]:
            sign_handoff(row, by=person, at=row.at)
    for rotation, text in itertools.product(
        rotations, ("Ask for a larger disk", "Tell finance that Friday’s numbers were late")
    ):
        add_item(rotation, text=text, by=by, at=at)


def _incidents(pipelines, people, *, count, at):
    for number in range(count, 0, -1):
        opened = at - YEAR * number / count + dt.timedelta(hours=3 * (number > 1))
        what = NewIncident(
            kind=dice.choice(["issue", "outage", "delay"]), title=dice.choice(TROUBLES), text="Seen in the morning."
        )
        incident, engineer = open_incident(dice.choice(pipelines), what=what, by=None, at=opened), dice.choice(people)
        if number > 3:
            acknowledge(incident, by=engineer, at=opened + dt.timedelta(minutes=dice.randrange(2, 40)))
        if number > 6:
            resolve(incident, by=engineer, at=opened + dt.timedelta(minutes=dice.randrange(45, 600)))
        elif hasattr(incident.pipeline, "runbook"):
            start_run(incident, by=engineer, at=opened + dt.timedelta(hours=1))


def _checks(pipelines, *, by, at):
    today = dt.datetime.combine(at.date(), dt.time(), dt.UTC)
    for number, pipeline in enumerate(pipelines):
        metric = save_metric(Metric(pipeline=pipeline, slug="rows", name="Rows", kind="count"), by=by)
        level = 1000 * (number % 9 + 1)
        values = [(day, level * dice.uniform(0.9, 1.1)) for day in range(60, 0, -1)]
        push_points(metric, points=[NewPoint(today - DAY * day, value) for day, value in values], at=at)
        bounds = {"fail_below": level * (0.8 if number % 20 else 1.2)}
        fields = {
            "name": "Enough rows",
            "check_type": "range",
            "metric": metric,
            "parameters": bounds,
            "is_active": True,
        }
        create_check(pipeline, fields=fields, by=by, at=at)


def run_checks(*, at):
    """Run every check once, and let incidents follow what they say."""
    Check.objects.filter(is_active=True).update(next_due_at=at)
    for handed in claim_due_checks(at=at):
        run_check(handed, at=at)
    sync_with_checks(at=at)


def fill(state, *, admin, folder, at, size=COMPANY):
    """Fill a site in which there is nobody but an admin; the demo's warehouse is made in the folder."""
    if state == "empty":
        return
    monday = current_monday(at)
    import_handbook(EXAMPLE.read_bytes(), at=at, starting=monday - YEAR if state == "full" else first_week(at))
    for number, user in enumerate(User.objects.order_by("pk")):
        change_profile(user, fields={"email": f"{user.username}@example.org", "phone": f"+44 7700 900{number:03}"})
    build_demo(folder / DEMO_FILE, by=admin, at=at)
    runbook = Runbook.objects.get(pipeline__slug="daily-growth-experiment-focused")
    text = runbook.revisions.get().markdown.replace("Rerun failed tasks", "Restart the failed tasks, oldest first")
    save_revision(runbook, markdown=text, based_on=1, author=admin, summary="In which order to restart")
    add_evidence(DataSource.objects.get(name=DEMO_SOURCE), by=admin, at=at)
    if state == "full":
        fill_full(admin, at=at, size=size)
    else:
        build_history(folder / DEMO_FILE, by=admin, at=at)
    # What workers do within a minute is there in the first picture too.
    sync_handoffs(at=at)
    run_checks(at=at)
    request_evidence(at=at)
    for claimed in claim_evidence(at=at):
        run_evidence(claimed, at=at)


def main():
    state, password = sys.argv[1:]
    call_command("migrate", verbosity=0)
    admin = User(username="admin", display_name="Admin", email="admin@example.org", is_staff=True)
    set_password_of(admin, password)
    fill(state, admin=admin, folder=settings.VAR, at=timezone.now())
    if state != "empty":
        build_lineage(by=admin, at=timezone.now())


def set_password_of(admin, password):
    admin.set_unusable_password()
    admin.save()
    set_password(admin, password=password)


if __name__ == "__main__":
    main()
