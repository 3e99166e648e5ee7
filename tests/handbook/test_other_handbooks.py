"""Whole handbooks as other teams write them: their facts, and that nothing they say is lost."""

import string
from collections import Counter
from pathlib import Path

from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from tests.each import each

FOLDER = Path(__file__).parent / "other_teams"
# What each file says: (pipeline, primary, secondary), rotations, extra columns, runbooks.
FACTS = {
    "owners_only": (
        [("Orders", "Priya O'Neil", "Wei Chen"), ("Sessions", "Wei Chen", "Priya O'Neil")],
        {},
        [(3, "Slack")],
        [],
    ),
    "bare_table": ([("Churn", "Ana", "Ben"), ("Signups", "Ben", "Ana")], {}, [], []),
    "week_table": (
        [("Revenue", "Ana Lima", "Ben Ode"), ("Marketing spend", "Cleo Park", "Ana Lima")],
        {"On-call rota": ["Ana Lima", "Ben Ode", "Cleo Park"]},
        [(0, "Tier"), (4, "SLA")],
        [],
    ),
    "date_table": (
        [("Ledger", "Ana Lima", "Ben Ode"), ("Fraud scores", "Ben Ode", "Cleo Park")],
        {"Rotation": ["Ana Lima", "Ben Ode", "Cleo Park"]},
        [],
        ["Ledger"],
    ),
    "underlined": ([("Loans", "Ana Lima", "Ben Ode")], {"Weekly Rotation": ["Ana Lima", "Ben Ode"]}, [], ["Loans"]),
    "two_rotations": (
        [
            ("Ingest clicks", "Ana Lima", "Ben Ode"),
            ("Ingest orders", "Ben Ode", "Ana Lima"),
            ("Revenue", "Cleo Park", "Dara Singh"),
            ("Archive", "Dara Singh", "Cleo Park"),
        ],
        {"Ingestion": ["Ana Lima", "Ben Ode"], "Reporting rotation": ["Cleo Park", "Dara Singh"]},
        [],
        [],
    ),
    "flat": ([("Prices", "Ana", "Ben")], {"On-call rotation": ["Ana", "Ben", "Chi"]}, [], ["Prices"]),
    "no_policy": (
        [("Weather", "李 Wei", "Łukasz Żółć")],
        {"Weekly Rotation": ["李 Wei", "Łukasz Żółć"]},
        [],
        [],
    ),
    "year_end": ([("Tax", "Ana", "Ben")], {"Rota": ["Ana", "Ben"]}, [], []),
    "windows_export": (
        [("Café loyalty", "Ana", "Zoë O’Neil-Smith")],
        {"Weekly Rotation": ["Ana", "Zoë O’Neil-Smith"]},
        [],
        [],
    ),
}
# Words that are read as something else: the names of columns, dates and links.
READ = {
    "Dataset", "Owner", "owner", "Backup", "Job", "Responsible", "engineer", "Deputy", "Primary", "Secondary", "Start", "End",
    "On", "call", "Nov", "Dec", "Jan", "Week", "of", "Who", "W51", "W52", "ingestion", "Engineer", "Pipeline",
}  # fmt: skip


def read(name):
    return read_handbook((FOLDER / f"{name}.md").read_bytes())


def test_every_file_has_its_facts():
    assert sorted(FACTS) == sorted(path.stem for path in FOLDER.glob("*.md"))


@each("name", FACTS)
def test_the_facts_of_another_teams_handbook_are_read(name):
    handbook = read(name)
    pipelines, rotations, columns, runbooks = FACTS[name]
    assert [(row.name, row.primary, row.secondary) for row in handbook.pipelines] == pipelines
    assert {rotation.title: list(rotation.engineers) for rotation in handbook.rotations} == rotations
    assert [(column.place, column.title) for column in handbook.columns] == columns
    assert [runbook.full_name for runbook in handbook.runbooks] == runbooks


@each("name", FACTS)
def test_another_teams_handbook_reads_back_the_same(name):
    handbook = read(name)
    written = write_handbook(handbook)
    assert read_handbook(written.encode()) == handbook
    assert write_handbook(read_handbook(written.encode())) == written


@each("name", FACTS)
def test_no_word_of_another_teams_handbook_is_lost(name):
    marks = str.maketrans(dict.fromkeys(string.punctuation + string.digits, " "))
    text = (FOLDER / f"{name}.md").read_text(encoding="utf-8-sig").replace("&nbsp;", " ")
    lost = Counter(text.translate(marks).split()) - Counter(write_handbook(read(name)).translate(marks).split())
    names = {word for row in read(name).engineers for word in row.translate(marks).split()}
    assert set(lost) <= READ | names | {
        "https",
        "people",
        "example",
        "org",
        "priya",
        "mailto",
        "ana",
        "W",
        "wei",
        "chen",
        "–",
    }


def test_a_table_with_dates_says_when_its_first_week_starts():
    first, year_end = read("date_table").rotations[0].first_day, read("year_end").rotations[0].first_day
    assert (first.year, first.month, first.day) == (2026, 11, 2)
    assert (year_end.year, year_end.month, year_end.day) == (None, 12, 21)


def test_a_rotation_shares_the_holiday_policy_and_the_hand_off_of_the_others():
    first, second = read("two_rotations").rotations
    assert (first.holiday_policy.rules, first.handoff.minutes_min) == (("Ask the other engineer.",), 20)
    assert (second.holiday_policy, second.handoff) == (None, None)
    assert [row.rotation for row in read("two_rotations").pipelines] == [
        "Ingestion",
        "Ingestion",
        "Reporting rotation",
        "",
    ]


def test_extra_cells_are_kept():
    assert [row.extra for row in read("week_table").pipelines] == [
        ("1", "06:00 UTC"),
        ("2", "`cron(0 9 * * ?)` | best effort"),
    ]


def test_passages_keep_their_place():
    underlined = [(passage.place, passage.markdown.split("\n")[0]) for passage in read("underlined").extras]
    assert underlined == [("hand-off topics", "## Escalation"), ("runbooks end", "# Glossary")]
    assert "Underlined part of the text" in read("underlined").runbooks[0].markdown
