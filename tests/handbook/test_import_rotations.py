"""Rotations of a handbook: which one a title means, several in a file, changed rosters, tables with dates."""

import datetime as dt
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from common.exceptions import DomainError
from handbook.queries.export import export_handbook
from handbook.queries.questions import Answers
from handbook.services import import_handbook, preview_handbook
from handoffs.models import HandoffPolicy
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import HandbookErrors
from scheduling.models import PipelineRotation, Roster, Rotation
from scheduling.queries.on_call import on_call_shifts
from scheduling.queries.rosters import newest_roster, roster_engineers
from scheduling.services.rotations import create_rotation, update_rotation
from tests.factories import import_example
from tests.snapshots import build_once

# A Wednesday; Engineer A is on call from Monday the 23rd on.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)
OTHERS = Path(__file__).parent / "other_teams"
RENAMED = ("## Weekly Rotation", "## Team Rotation")


@pytest.fixture
def text(schedule):
    return schedule.read_text()


@pytest.fixture
def imported(db, text):
    build_once(("handbook without runbooks", AT), lambda: import_handbook(text.encode(), at=AT))


def again(text, *, at=AT, starting=None, **rotations):
    return import_handbook(text.encode(), at=at, starting=starting, answers=Answers(rotations=rotations))


def errors(text, **rotations):
    with pytest.raises(HandbookErrors) as caught:
        again(text, **rotations)
    return [str(error) for error in caught.value.errors]


def roster_of(rotation):
    roster = newest_roster(rotation)
    return roster.starts_on, [str(engineer)[-1] for engineer in roster_engineers(roster)]


def on_call(at):
    [shift] = on_call_shifts(Rotation.objects.active(), at=at)
    return str(shift.engineer)[-1]


def with_weeks(text, letters):
    """Return the handbook with a rotation of these engineers."""
    start, end = text.index("- **Week 1**"), text.index("## Holiday Policy")
    weeks = "".join(f"- **Week {number}**: Engineer {letter}\n" for number, letter in enumerate(letters, start=1))
    return f"{text[:start]}{weeks}\n{text[end:]}"


# Which rotation it is


def test_another_title_is_a_question_and_renames_nothing(imported, text):
    [error] = errors(text.replace(*RENAMED))
    assert error == (
        "line 15: the site has no rotation “Team Rotation”, expected a choice: a new rotation, or “Weekly Rotation” under "
        "its new name"
    )
    assert [row.name for row in Rotation.objects.all()] == ["Weekly Rotation"]


def test_another_title_can_be_the_rotation_of_the_site(imported, text):
    report = again(text.replace(*RENAMED), **{"team rotation": "weekly-rotation"})
    assert report.changed == ["rotation Team Rotation: name was “Weekly Rotation”"]
    assert [(row.slug, row.name) for row in Rotation.objects.all()] == [("weekly-rotation", "Team Rotation")]
    assert "nothing changed" in again(text.replace(*RENAMED)).lines()[0]
    assert export_handbook() == text.replace(*RENAMED)


def test_another_title_can_be_a_new_rotation(imported, text):
    report = again(text.replace(*RENAMED), **{"team rotation": "new"})
    assert report.absent == ["rotation Weekly Rotation"]
    assert [row.name for row in Rotation.objects.all()] == ["Weekly Rotation", "Team Rotation"]
    weekly, team = Rotation.objects.all()
    assert roster_of(weekly) == roster_of(team)
    assert PipelineRotation.objects.filter(rotation=weekly).count() == 5
    assert "nothing changed" in again(text.replace(*RENAMED)).lines()[0]


def test_a_rotation_that_is_no_choice_is_an_error(imported, text):
    assert errors(text.replace(*RENAMED), **{"team rotation": "nightly"}) == [
        "line 15: “nightly” cannot be the rotation “Team Rotation”, expected “new”, or one of “weekly-rotation”, each once"
    ]


def test_the_command_asks_which_rotation_it_is(imported, text, tmp_path, capsys):
    path = tmp_path / "handbook.md"
    path.write_text(text.replace(*RENAMED))
    expected = "Say which rotation it is with --rotation 'Team Rotation=…': new or weekly-rotation"
    with pytest.raises(CommandError, match=expected):
        call_command("import_handbook", str(path))
    call_command("import_handbook", str(path), rotation=["weekly-rotation"])
    assert Rotation.objects.get().name == "Team Rotation"
    call_command("import_handbook", str(path), rotation=["weekly-rotation"])
    assert "nothing changed" in capsys.readouterr().out


# A changed roster


@pytest.mark.parametrize(
    ("letters", "weeks_later", "expected"),
    [
        # Who is on call now, and the shifts that follow.
        ("ABCDE", 0, "ABCDEA"),
        ("ABCDE", 2, "CDEABC"),
        ("ACBD", 0, "ACBDAC"),
        ("BCD", 0, "ABCDBC"),
        ("ACD", 1, "BCDACD"),
        ("EF", 2, "CEFEFE"),
        ("DCBA", 3, "DCBADC"),
    ],
)
def test_a_changed_roster_keeps_who_is_on_call_and_continues_after_them(imported, text, letters, weeks_later, expected):
    at = AT + weeks_later * WEEK
    changed = with_weeks(text, letters)
    again(changed, at=at)
    assert "".join(on_call(at + week * WEEK) for week in range(6)) == expected
    assert export_handbook() == changed
    assert "nothing changed" in again(export_handbook(), at=at + WEEK).lines()[0]


def test_a_list_that_begins_with_another_engineer_is_the_same_rotation(imported, text):
    turned = with_weeks(text, "CDAB")
    assert again(turned).changed == ["roster of Weekly Rotation: order in the handbook"]
    assert Roster.objects.count() == 1
    assert export_handbook() == turned


def test_a_date_makes_the_first_engineer_start_there(imported, text):
    again(with_weeks(text, "CDAB"), starting=dt.date(2026, 12, 7))
    assert "".join(on_call(AT + week * WEEK) for week in range(6)) == "ABCDAB"
    assert roster_of(Rotation.objects.get()) == (dt.date(2026, 12, 7), list("CDAB"))


def test_before_the_hand_off_on_monday_the_previous_week_is_current(db, text):
    early = dt.datetime(2026, 11, 30, 0, 30, tzinfo=dt.UTC)
    import_handbook(text.encode(), at=early)
    assert "".join(on_call(early + week * WEEK) for week in range(3)) == "ABC"
    again(with_weeks(text, "ACBD"), at=early)
    assert "".join(on_call(early + week * WEEK) for week in range(3)) == "ACB"
    assert on_call(dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC)) == "C"
    again(with_weeks(text, "DABC"), at=early, starting=dt.date(2026, 11, 30))
    assert "".join(on_call(early + week * WEEK) for week in range(3)) == "ADA"
    with pytest.raises(DomainError, match="already started"):
        again(with_weeks(text, "BADC"), at=dt.datetime(2026, 11, 30, 10, tzinfo=dt.UTC), starting=dt.date(2026, 11, 30))


# The second is the Monday on which the roster starts, before the hand-off.
@pytest.mark.parametrize("at", [AT, dt.datetime(2026, 11, 30, 0, 30, tzinfo=dt.UTC)])
def test_the_preview_shows_who_gains_and_loses_which_shifts(imported, text, at):
    report = preview_handbook(with_weeks(text, "ABCDE").encode(), at=at)
    [effect] = report.rosters
    assert (effect.rotation, effect.plan.starts_on) == ("Weekly Rotation", dt.date(2026, 11, 30))
    assert [str(engineer)[-1] for engineer in effect.plan.engineers] == list("BCDEA")
    first = effect.change.weeks[0]
    assert (first.week, str(first.giver), str(first.taker)) == (dt.date(2026, 12, 21), "Engineer A", "Engineer E")
    assert sum(effect.change.gained.values()) == sum(effect.change.lost.values()) == len(effect.change.weeks)
    assert Roster.objects.count() == 1


# A table with dates


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (dt.datetime(2026, 10, 20, 12, tzinfo=dt.UTC), (dt.date(2026, 11, 2), ["Ana Lima", "Ben Ode", "Cleo Park"])),
        (AT, (dt.date(2026, 11, 23), ["Ana Lima", "Ben Ode", "Cleo Park"])),
        (AT + WEEK, (dt.date(2026, 11, 30), ["Ben Ode", "Cleo Park", "Ana Lima"])),
    ],
)
def test_a_table_with_dates_says_whose_turn_it_is(db, at, expected):
    data = (OTHERS / "date_table.md").read_bytes()
    import_handbook(data, at=at)
    roster = newest_roster(Rotation.objects.get())
    assert (roster.starts_on, [str(engineer) for engineer in roster_engineers(roster)]) == expected
    assert "nothing changed" in import_handbook(data, at=at + 2 * WEEK).lines()[0]
    exported = export_handbook()
    assert "- **Week 1**: Ana Lima" in exported
    assert "nothing changed" in again(exported, at=at + WEEK).lines()[0]


# Several rotations


@pytest.fixture
def two(db):
    return import_handbook((OTHERS / "two_rotations.md").read_bytes(), at=AT)


def memberships():
    rows = PipelineRotation.objects.order_by("pipeline__position")
    return list(rows.values_list("pipeline__name", "rotation__name"))


def test_several_rotations_are_imported_with_their_pipelines(two):
    assert [row.name for row in Rotation.objects.all()] == ["Ingestion", "Reporting rotation"]
    assert memberships() == [
        ("Ingest clicks", "Ingestion"),
        ("Ingest orders", "Ingestion"),
        ("Revenue", "Reporting rotation"),
    ]
    assert [row.policy_rules for row in Rotation.objects.all()] == [["Ask the other engineer."]] * 2
    assert HandoffPolicy.objects.count() == 2


def test_several_rotations_are_exported_and_read_back_the_same(two):
    exported = export_handbook()
    assert "| **Rotation** " in exported
    assert exported.count("## Holiday Policy") == 1
    assert "nothing changed" in again(exported).lines()[0]
    assert export_handbook() == exported


def test_a_pipeline_moves_to_the_rotation_that_the_file_names(two):
    exported = export_handbook()
    changed = "\n".join(
        line.replace("Ingestion ", "Reporting Rotation") if "Ingest orders" in line else line
        for line in exported.split("\n")
    )
    assert again(changed).changed == ["rotation of Ingest orders: Reporting rotation"]
    assert memberships()[1] == ("Ingest orders", "Reporting rotation")


def test_a_rotation_of_its_own_policies_keeps_them(two):
    reporting = Rotation.objects.get(slug="reporting-rotation")
    Rotation.objects.filter(pk=reporting.pk).update(policy_rules=["Never in January."])
    exported = export_handbook()
    assert exported.count("## Holiday Policy") == 2
    assert "nothing changed" in again(exported).lines()[0]
    changed = again((OTHERS / "two_rotations.md").read_text().replace("Ask the other engineer.", "Ask both."))
    assert changed.changed == ["rotation Ingestion: policy rules"]


def test_a_shared_policy_changes_for_every_rotation_that_shares_it(two):
    changed = again((OTHERS / "two_rotations.md").read_text().replace("Ask the other engineer.", "Ask both."))
    assert changed.changed == ["rotation Ingestion: policy rules", "rotation Reporting rotation: policy rules"]


def test_rotations_from_the_site_are_exported_too(imported, text, a, b, admin):
    night = create_rotation(name="Night watch", engineers=[b, a], by=admin, at=AT)
    exported = export_handbook()
    assert "## Night watch\n- **Week 1**: Engineer B\n- **Week 2**: Engineer A" in exported
    assert "nothing changed" in again(exported).lines()[0]
    update_rotation(night, name="Late shift", by=admin, at=AT)
    assert "## Late shift\n" in export_handbook()
    assert "nothing changed" in again(export_handbook()).lines()[0]
    assert "nothing changed" in again(text).lines()[0]


# Handbooks of other teams


@pytest.mark.parametrize("path", sorted(OTHERS.glob("*.md")), ids=lambda path: path.stem)
def test_another_teams_handbook_is_imported_and_exported(db, path):
    import_handbook(path.read_bytes(), at=AT)
    assert "nothing changed" in import_handbook(path.read_bytes(), at=AT).lines()[0]
    exported = export_handbook()
    assert "nothing changed" in again(exported).lines()[0]
    assert export_handbook() == exported


def test_owners_only_leave_rotations_and_runbooks_alone(db, seed):
    import_example(at=AT)
    text = seed.read_text()
    before = export_handbook()
    owners = text[: text.index("---\n\n# On-Call")]
    assert "nothing changed" in again(owners).lines()[0]
    assert export_handbook() == before


def test_a_pipeline_that_is_not_in_the_file_stays_and_is_named(db, seed):
    import_example(at=AT)
    text = seed.read_text()
    line = next(line for line in text.splitlines(keepends=True) if line.startswith("| Daily growth"))
    runbook = text[text.index("## Runbook: Daily") : text.index("## Runbook: Aggregate Engagement")]
    report = again(text.replace(line, "").replace(runbook, ""))
    assert report.absent == ["pipeline Daily growth (experiment-focused)"]
    assert Pipeline.objects.count() == 5


def test_extra_columns_are_kept_changed_and_removed(db):
    text = (OTHERS / "week_table.md").read_text()
    again(text)
    exported = export_handbook()
    assert "| **Tier** | **Pipeline** " in exported
    assert "`cron(0 9 * * ?)` \\| best effort" in exported
    assert again(text.replace("06:00 UTC", "07:00 UTC")).changed == ["extra columns of the ownership table: Tier, SLA"]
    revenue = next(line for line in text.splitlines(keepends=True) if "Revenue" in line)
    again(text.replace(revenue, ""))
    assert "07:00 UTC" in export_handbook()
    again("Pipeline | Owner | Backup\n---|---|---\nRevenue (finance) | Ana Lima | Ben Ode\n")
    assert "SLA" not in export_handbook()
