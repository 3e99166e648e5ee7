"""The handbook's way in and out: the seed's facts, idempotence, all or nothing, every change it can bring."""

import datetime as dt
import re

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from common.exceptions import DomainError
from handbook.models import HandbookPassage
from handbook.queries.export import export_handbook
from handbook.services import import_handbook
from handoffs.models import HandoffPolicy
from people.models import User
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import HandbookErrors
from runbooks.models import Runbook, RunbookRevision
from runbooks.services import save_revision
from scheduling.models import PipelineRotation, Roster, Rotation
from scheduling.queries.rosters import roster_engineers
from tests.factories import each_undone, import_example, make_engineer, make_pipeline
from validation.models import Check

# A Wednesday; the week of the rotation began on Monday the 23rd.
AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
OWNERS = [
    ("Unit-level profit", "experiment-focused", "Engineer A", "Engineer B"),
    ("Aggregate profit", "investor reporting", "Engineer B", "Engineer C"),
    ("Aggregate growth", "investor reporting", "Engineer C", "Engineer D"),
    ("Daily growth", "experiment-focused", "Engineer D", "Engineer A"),
    ("Aggregate engagement", "investor reporting", "Engineer A", "Engineer D"),
]


@pytest.fixture
def text(seed):
    return seed.read_text()


@pytest.fixture
def imported(db):
    import_example(at=AT)


def again(text, **options):
    return import_handbook(text.encode(), at=AT, **options)


def everything():
    """Return all rows an import may touch, as values."""
    tables = (
        User,
        Pipeline,
        Rotation,
        Roster,
        PipelineRotation,
        HandoffPolicy,
        Runbook,
        RunbookRevision,
        HandbookPassage,
        Check,
    )
    return {table.__name__: list(table.objects.order_by("pk").values()) for table in tables}


# The seed's facts


def test_there_are_five_pipelines_with_their_owner_pairs(imported):
    rows = Pipeline.objects.all().with_owners()
    actual = [(p.name, p.audience, p.primary_owner.display_name, p.secondary_owner.display_name) for p in rows]
    assert actual == OWNERS


def test_there_are_four_engineers_who_cannot_sign_in_until_invited(imported):
    users = User.objects.order_by("username")
    assert [user.username for user in users] == ["engineer-a", "engineer-b", "engineer-c", "engineer-d"]
    assert not any(user.has_usable_password() or user.is_staff for user in users)


def test_the_rotation_has_the_order_of_the_weeks_and_starts_this_monday(imported):
    roster = Roster.objects.get()
    assert [str(user) for user in roster_engineers(roster)] == ["Engineer A", "Engineer B", "Engineer C", "Engineer D"]
    assert roster.starts_on == dt.date(2026, 11, 23)
    rotation = Rotation.objects.get()
    assert (rotation.slug, rotation.handoff_weekday, rotation.handoff_time) == ("weekly-rotation", 0, dt.time(10))
    assert PipelineRotation.objects.filter(rotation=rotation).count() == 5


def test_there_are_three_policies(imported):
    rules = Rotation.objects.get().policy_rules
    assert rules == [
        "Use a shared calendar where engineers can block unavailable dates.",
        "Secondary owner steps in when the primary is unavailable.",
        "Allow engineers to swap on-call weeks if needed.",
    ]


def test_the_hand_off_takes_20_to_30_minutes_and_has_four_topics(imported):
    policy = HandoffPolicy.objects.get()
    assert (policy.minutes_min, policy.minutes_max) == (20, 30)
    assert [topic.title.rstrip(".") for topic in policy.topics.all()] == [
        "Active issues being resolved",
        "Known outages or delays",
        "Status of all pipelines",
        "Pending action items",
    ]


def test_there_are_five_runbooks_of_five_sections_with_three_steps_and_two_validations(imported):
    titles = ["Purpose", "Pipeline Components", "Failure Scenarios", "Troubleshooting Steps", "Metrics Validation"]
    assert Runbook.objects.count() == 5
    for runbook in Runbook.objects.all():
        sections = {section.title: section.html for section in runbook.sections.all()}
        assert list(sections) == titles
        assert sections["Troubleshooting Steps"].count("<li>") == 3
        assert sections["Failure Scenarios"].count("<li>") == 3
        assert sections["Metrics Validation"].count("<li>") == 2
        assert sections["Pipeline Components"].count("<li>") == 4


def test_a_runbook_belongs_to_its_pipeline_by_meaning(imported):
    runbook = Runbook.objects.get(title="Unit-Level Profit (Experiment-Focused)")
    assert runbook.pipeline.full_name == "Unit-level profit (experiment-focused)"


def test_mis_encoded_text_is_repaired(db):
    from pathlib import Path

    text = Path(__file__).parents[2].joinpath("examples/handbook.md").read_text()
    broken = text.replace("pipeline’s", "pipelineâ€™s")
    assert broken != text
    import_handbook(broken.encode(), at=AT)
    assert "pipeline’s" in Runbook.objects.get(title__startswith="Aggregate Profit").revisions.get().markdown


# Checks


def test_a_check_is_proposed_for_every_line_of_metrics_validation_switched_off(imported):
    actual = Check.objects.values_list("pipeline__name", "check_type", "proposed_from", "is_active")
    assert len(actual) == 10
    assert ("Daily growth", "anomaly", "Cross-check daily growth against historical patterns.", False) in actual
    assert not any(active for *_, active in actual)


def test_a_proposed_check_that_was_set_up_or_renamed_is_left_alone_and_a_new_line_is_proposed(imported, text):
    check = Check.objects.get(check_type="anomaly")
    Check.objects.filter(pk=check.pk).update(name="Pattern", parameters={"alert_budget": 2})
    changed = text.replace(
        "- Validate segment-level growth calculations.",
        "- Validate segment-level growth calculations.\n- Sign-ups are between 10 and 90.",
    )
    report = again(changed)
    assert [line for line in report.changed if "proposed" in line] == [
        "checks proposed for Daily growth (experiment-focused) (disabled): Sign-ups are between 10 and 90"
    ]
    check.refresh_from_db()
    assert (check.name, check.parameters) == ("Pattern", {"alert_budget": 2})
    new = Check.objects.get(name="Sign-ups are between 10 and 90")
    assert (new.check_type, new.is_active) == ("range", False)
    assert (new.parameters["fail_below"], new.parameters["fail_above"]) == (10, 90)
    assert "nothing changed" in again(changed).lines()[0]


# In and out again


def test_a_second_import_changes_nothing_and_says_so(imported, text, seed, capsys):
    before = everything()
    call_command("import_handbook", str(seed))
    assert "nothing changed" in capsys.readouterr().out
    assert everything() == before


def test_export_then_import_is_a_fixed_point(imported, text):
    exported = export_handbook()
    assert exported == text
    before = everything()
    assert "nothing changed" in again(exported).lines()[0]
    assert everything() == before
    assert export_handbook() == exported


def test_the_export_has_what_was_changed_on_the_site(imported, text, a, c, admin):
    runbook = Runbook.objects.get(title__startswith="Daily")
    markdown = "# Big heading\n\n```\n# no heading\nnever closed"
    save_revision(runbook, markdown=markdown, based_on=1, author=admin)
    extra = make_pipeline("Extra | piped", primary=a, secondary=c, position=9)
    exported = export_handbook()
    assert "Extra \\| piped" in exported
    before = everything()
    assert "nothing changed" in again(exported).lines()[0]
    assert everything() == before
    assert Pipeline.objects.get(pk=extra.pk).name == "Extra | piped"


def test_extra_passages_are_kept_in_their_place(db, text):
    added = (
        text.replace("## Holiday Policy", "## Pager\n\nCall **7**.\n\n## Holiday Policy") + "\n# Glossary\n\n- DAU\n"
    )
    again(added)
    exported = export_handbook()
    assert exported.index("## Weekly Rotation") < exported.index("Call **7**.") < exported.index("## Holiday Policy")
    assert exported.index("- DAU") > exported.index("## Runbook: Aggregate Engagement")
    assert "nothing changed" in again(exported).lines()[0]


def test_export_to_a_file_and_import_of_it(imported, text, tmp_path, capsys):
    call_command("export_handbook", str(tmp_path / "handbook.md"))
    assert (tmp_path / "handbook.md").read_text() == text
    call_command("export_handbook")
    assert capsys.readouterr().out == text


def test_an_empty_site_has_nothing_to_export(db):
    with pytest.raises(CommandError, match="Import a handbook first"):
        call_command("export_handbook")


# Changes


def test_new_owners_in_the_file_are_the_owners(imported, text):
    line = "| Daily growth (experiment-focused)           | Engineer D         | Engineer A           |"
    assert line in text
    report = again(text.replace(line, "| daily GROWTH - (experiment focused) | engineer b | Engineer E |"))
    row = Pipeline.objects.get(slug="daily-growth-experiment-focused")
    assert (str(row.primary_owner), str(row.secondary_owner)) == ("Engineer B", "Engineer E")
    assert Pipeline.objects.count() == 5
    assert "created engineer Engineer E (engineer-e)" in report.lines()


def test_a_pipeline_that_left_the_file_stays_on_the_site_after_the_others(imported, text, a, b):
    make_pipeline("Kept", primary=a, secondary=b, position=0)
    again(text)
    assert [row.name for row in Pipeline.objects.all().with_owners()][-1] == "Kept"


def test_a_new_order_of_the_weeks_holds_from_next_week_on(imported, text):
    again(text.replace("- **Week 4**: Engineer D", "- **Week 4**: Engineer D\n- **Week 5**: Engineer E"))
    first, second = Roster.objects.order_by("starts_on")
    assert (first.starts_on, second.starts_on) == (dt.date(2026, 11, 23), dt.date(2026, 11, 30))
    assert [str(user) for user in roster_engineers(first)] == ["Engineer A", "Engineer B", "Engineer C", "Engineer D"]
    assert len(roster_engineers(second)) == 5


def test_a_roster_does_not_change_in_a_week_that_has_begun(imported, text):
    swapped = text.replace("**Week 1**: Engineer A", "**Week 1**: Engineer X")
    before = everything()
    with pytest.raises(DomainError, match="already started"):
        again(swapped, starting=dt.date(2026, 11, 23))
    assert everything() == before


def test_the_first_week_may_be_named(db, text):
    again(text, starting=dt.date(2026, 1, 5), time_zone="Europe/Berlin")
    assert Roster.objects.get().starts_on == dt.date(2026, 1, 5)
    assert Rotation.objects.get().time_zone == "Europe/Berlin"
    assert set(User.objects.values_list("time_zone", flat=True)) == {"Europe/Berlin"}
    assert "nothing changed" in again(text, starting=dt.date(2026, 1, 5), time_zone="Europe/Berlin").lines()[0]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"starting": dt.date(2026, 11, 24)}, "is a Tuesday"),
        ({"time_zone": "Mars/Olympus"}, "Unknown time zone"),
    ],
)
def test_a_wrong_option_is_refused_and_changes_nothing(db, text, options, reason):
    with pytest.raises(DomainError, match=reason):
        again(text, **options)
    assert not User.objects.exists()


def test_other_topics_and_one_length_of_the_meeting(imported, text):
    changed = text.replace("20-30 minute", "25 minute").replace("  - Pending action items.", "  - Costs.\n  - Praise.")
    again(changed)
    policy = HandoffPolicy.objects.get()
    assert (policy.minutes_min, policy.minutes_max) == (25, 25)
    assert [topic.title.rstrip(".") for topic in policy.topics.all()][-2:] == ["Costs", "Praise"]


def test_a_changed_runbook_becomes_its_next_revision(imported, text):
    again(text.replace("3. Rerun failed tasks in the pipeline.", "3. Restart failed tasks."))
    runbook = Runbook.objects.get(title__startswith="Daily")
    assert (runbook.revision, runbook.revisions.count()) == (2, 2)
    assert Runbook.objects.exclude(pk=runbook.pk).filter(revision=2).count() == 0


def test_names_of_any_script(db, text):
    again(text.replace("Engineer B", "李 Wei").replace("Engineer C", "Łukasz Żółć"))
    assert set(User.objects.values_list("username", flat=True)) == {"engineer-a", "li-wei", "lukasz-zolc", "engineer-d"}


# Errors


def test_a_file_with_errors_changes_nothing_and_names_every_line(imported, text, tmp_path):
    before = everything()
    lines = text.split("\n")
    lines[4] = "| Unit-level profit (experiment-focused) | Engineer A | Engineer A |"
    lines[6] = "| Aggregate growth (investor reporting) | | Engineer D |"
    path = tmp_path / "bad.md"
    path.write_text("\n".join(lines))
    with pytest.raises(CommandError) as caught:
        call_command("import_handbook", str(path))
    lines = str(caught.value).splitlines()
    assert lines[0].endswith("Nothing was changed.")
    assert [line.partition(":")[0] for line in lines[1:]] == ["line 5", "line 7"]
    assert all(", expected " in line for line in lines[1:])
    assert everything() == before


def test_an_engineer_who_is_no_longer_active_is_an_error_with_a_line(imported, text):
    User.objects.filter(display_name="Engineer C").update(is_active=False)
    with pytest.raises(HandbookErrors) as caught:
        again(text)
    assert "“Engineer C” is deactivated" in str(caught.value)
    assert [error.line for error in caught.value.errors] == [6, 7, 20]


def test_a_missing_file_is_reported(db):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_handbook", "/no/such/file.md")


def test_a_second_person_of_a_name_in_the_handbook_is_refused(db, text):
    first = make_engineer("Engineer A")
    with pytest.raises(ValidationError):
        User(username="another", display_name="ENGINEER A").full_clean(exclude=["password"])
    again(text)
    assert Pipeline.objects.get(slug__startswith="unit").primary_owner == first


def test_the_database_keeps_one_runbook_a_pipeline_and_a_topic_once(imported):
    runbook = Runbook.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        Runbook.objects.create(pipeline=runbook.pipeline, title="Another")
    other = Runbook.objects.last()
    with pytest.raises(IntegrityError), transaction.atomic():
        Runbook.objects.filter(pk=other.pk).update(title=runbook.title)
    policy = HandoffPolicy.objects.get()
    topic = policy.topics.first()
    with pytest.raises(IntegrityError, match="handoff_topic_unique_title"), transaction.atomic():
        policy.topics.create(position=99, title=topic.title)
    with pytest.raises(IntegrityError, match="handoff_policy_valid_length"), transaction.atomic():
        HandoffPolicy.objects.update(minutes_min=31)


# What it costs


def with_each_pipeline_twice(text):
    """Return the example handbook with a second pipeline like each one: "Daily growth again (experiment-focused)"."""
    text = re.sub(r"^\| [A-Z].+\n", lambda row: row[0] + row[0].replace(" (", " again ("), text, flags=re.MULTILINE)
    before, *runbooks = re.split(r"^(?=## Runbook: )", text, flags=re.MULTILINE)
    return before + "".join(runbook + "\n" + runbook.replace(" (", " again (", 1) for runbook in runbooks)


def test_each_further_pipeline_costs_the_same_few_statements(db, text):
    counts = []
    for handbook in each_undone([text, with_each_pipeline_twice(text)]):
        with CaptureQueriesContext(connection) as first:
            again(handbook)
        with CaptureQueriesContext(connection) as second:
            assert again(handbook).is_unchanged
        counts.append(
            (Pipeline.objects.count(), Runbook.objects.count(), Check.objects.count(), len(first), len(second))
        )
    few, many = counts
    assert [after - before for before, after in zip(few, many, strict=True)] == [5, 5, 10, 5 * 19, 5 * 9]
