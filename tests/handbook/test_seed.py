"""The team's own handbook, and the small ways in which another team's may differ."""

from dataclasses import replace
from pathlib import Path

import pytest

from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from runbooks.domain.handbook_model import Passage, Section
from runbooks.domain.runbook_text import normalize_runbook
from tests.each import each

SEED = (Path(__file__).parents[2] / "examples" / "handbook.md").read_text()
# As the team keeps it: one apostrophe decoded in the wrong way.
ORIGINAL = SEED.replace("pipeline’s", "pipelineâ€™s")
SECTIONS = ["Purpose", "Pipeline Components", "Failure Scenarios", "Troubleshooting Steps", "Metrics Validation"]


def read(text):
    return read_handbook(text.encode())


def changed(there, instead):
    assert there in SEED
    return read(SEED.replace(there, instead))


def items(markdown):
    return [line for line in markdown.split("\n") if line[:2] == "- " or line[1:3] == ". "]


@pytest.fixture(scope="module")
def handbook():
    return read(ORIGINAL)


def test_the_five_pipelines_have_their_owners(handbook):
    assert [(row.name, row.audience, row.primary[-1], row.secondary[-1]) for row in handbook.pipelines] == [
        ("Unit-level profit", "experiment-focused", "A", "B"),
        ("Aggregate profit", "investor reporting", "B", "C"),
        ("Aggregate growth", "investor reporting", "C", "D"),
        ("Daily growth", "experiment-focused", "D", "A"),
        ("Aggregate engagement", "investor reporting", "A", "D"),
    ]
    assert [row.line for row in handbook.pipelines] == [5, 6, 7, 8, 9]


def test_the_four_engineers_take_turns(handbook):
    engineers = ("Engineer A", "Engineer B", "Engineer C", "Engineer D")
    assert handbook.rotations[0].engineers == handbook.engineers == engineers
    assert handbook.rotations[0].title == "Weekly Rotation"
    assert handbook.rotations[0].intro.endswith("across a 4-week cycle.")
    assert [turn.line for turn in handbook.rotations[0].turns] == [18, 19, 20, 21]


def test_the_holiday_policy_has_three_rules(handbook):
    assert handbook.rotations[0].holiday_policy.title == "Holiday Policy"
    assert handbook.rotations[0].holiday_policy.intro == ""
    assert handbook.rotations[0].holiday_policy.rules == (
        "Use a shared calendar where engineers can block unavailable dates.",
        "Secondary owner steps in when the primary is unavailable.",
        "Allow engineers to swap on-call weeks if needed.",
    )


def test_the_hand_off_has_a_length_and_four_topics(handbook):
    handoff = handbook.rotations[0].handoff
    assert (handoff.title, handoff.topics_label) == ("Daily Onboarding Hand-Off", "Topics to discuss")
    assert (handoff.minutes_min, handoff.minutes_max) == (20, 30)
    assert handoff.meeting.startswith("Schedule a **20-30 minute meeting** at the end")
    assert handoff.topics == (
        "Active issues being resolved.",
        "Known outages or delays.",
        "Status of all pipelines.",
        "Pending action items.",
    )


def test_the_five_runbooks_have_five_sections_each(handbook):
    assert [runbook.full_name.lower() for runbook in handbook.runbooks] == [
        row.full_name.lower() for row in handbook.pipelines
    ]
    assert handbook.runbooks[0].full_name == "Unit-Level Profit (Experiment-Focused)"
    for runbook in handbook.runbooks:
        text = {section.title: section.markdown for section in runbook.sections}
        assert list(text) == SECTIONS
        assert len(items(text["Pipeline Components"])) == 4
        assert len(items(text["Failure Scenarios"])) == len(items(text["Troubleshooting Steps"])) == 3
        assert len(items(text["Metrics Validation"])) == 2


def test_mis_encoded_text_is_repaired(handbook):
    steps = handbook.runbooks[1].sections[3].markdown
    assert steps.startswith("1. Confirm source schema matches the pipeline’s ETL logic.")


def test_the_export_differs_from_the_file_in_repaired_text_only(handbook):
    assert write_handbook(handbook) == SEED
    assert handbook.extras == ()


def test_text_in_code_is_not_repaired():
    purpose = changed("profit at the unit level", "`â€™` â€™").runbooks[0].sections[0].markdown
    assert purpose.startswith("This pipeline calculates `â€™` ’ for")


@each("text", ["“curly” ‘quotes’", "&amp; &lt;b&gt;", "ﬁ ＡＢ", "Ünï 李 عدي", "20–30", "naïve café"])
def test_text_that_is_right_is_left_as_it_is(text):
    assert text in changed("profit at the unit level", text).runbooks[0].sections[0].markdown


@each(
    ("length", "minutes"),
    [
        ("20-30 minute", (20, 30)),
        ("20–30 minutes", (20, 30)),
        ("20 to 30 min", (20, 30)),
        ("20 - 30-minute", (20, 30)),
        ("25 minute", (25, 25)),
        ("25-minute", (25, 25)),
        ("30 mins", (30, 30)),
        ("30 minute", (30, 30)),
    ],
)
def test_the_length_of_the_meeting_is_one_number_or_a_range(length, minutes):
    handoff = changed("20-30 minute", length).rotations[0].handoff
    assert (handoff.minutes_min, handoff.minutes_max) == minutes
    assert length in handoff.meeting


def test_names_match_by_meaning_and_the_first_spelling_wins():
    assert changed("**Week 1**: Engineer A", "**Week 1**: ENGINEER  a").rotations[0].engineers[0] == "Engineer A"


def test_an_owner_need_not_be_on_the_roster():
    handbook = changed("Engineer A         | Engineer D", "Wei 李              | Engineer D")
    assert handbook.engineers == ("Engineer A", "Engineer B", "Engineer C", "Engineer D", "Wei 李")
    assert len(handbook.rotations[0].turns) == 4


def test_an_escaped_pipe_is_part_of_its_cell():
    handbook = changed("Engineer A         | Engineer D", r"`a|b` \| **c** | **Engineer D**")
    assert (handbook.pipelines[4].primary, handbook.pipelines[4].secondary) == ("`a|b` | **c**", "Engineer D")
    assert r"| `a\|b` \| **c** " in write_handbook(handbook)
    assert read(write_handbook(handbook)) == handbook


def test_a_pipeline_may_lack_a_runbook():
    handbook = read(SEED[: SEED.index("# Runbooks for Pipelines")])
    assert len(handbook.pipelines) == 5
    assert handbook.runbooks == ()
    assert read(write_handbook(handbook)) == handbook


def test_a_section_of_another_title_is_kept_in_its_place():
    runbook = changed("### Failure Scenarios", "### Contacts\nAsk Bob.\n\n### Failure Scenarios").runbooks[0]
    assert [section.title for section in runbook.sections] == [*SECTIONS[:2], "Contacts", *SECTIONS[2:]]
    assert runbook.sections[2] == Section("Contacts", "Ask Bob.")


def test_a_text_above_the_first_section_is_kept_without_a_title():
    runbook = changed(
        "(Experiment-Focused)\n\n### Purpose", "(Experiment-Focused)\n\nMind the gap.\n\n### Purpose"
    ).runbooks[0]
    assert runbook.sections[0] == Section("", "Mind the gap.")


def test_a_heading_in_a_block_of_code_is_none():
    code = "```sh\n# Appendix\n## Runbook: none\n---\n```"
    runbook = changed("This pipeline calculates profit", f"{code}\nThis pipeline calculates profit").runbooks[0]
    assert runbook.sections[0].markdown.startswith(f"{code}\nThis pipeline")


def test_a_rule_inside_a_section_is_kept_and_one_at_its_end_is_not():
    runbook = changed("their success.\n", "their success.\n\n---\n\nMore.\n\n***\n").runbooks[0]
    assert runbook.sections[0].markdown.endswith("their success.\n\n---\n\nMore.")


def test_everything_else_is_kept_where_it_stands():
    text = SEED.replace("# Ownership", "Welcome.\n\n# Team\nUs.\n\n---\n\n# Ownership", 1)
    text = text.replace("## Holiday Policy", "## Pager\nLoud.\n\n## Holiday Policy")
    text = text.replace("- Topics", "- Bring coffee.\n- Topics") + "\n---\n\n# Glossary\nDAU.\n"
    handbook = read(text)
    assert handbook.extras == (
        Passage("start", "Welcome."),
        Passage("start", "# Team\nUs."),
        Passage("rotation", "## Pager\nLoud."),
        Passage("hand-off meeting", "- Bring coffee."),
        Passage("runbooks end", "# Glossary\nDAU."),
    )
    assert [passage.line for passage in handbook.extras] == [1, 3, 30, 40, 186]
    assert write_handbook(handbook).replace("---", "").split() == text.replace("---", "").split()


def test_parts_may_stand_in_another_order():
    parts = SEED.rstrip("\n").split("\n\n---\n\n# ")
    shuffled = "\n\n---\n\n# ".join(["", "Runbooks" + SEED.split("# Runbooks", 1)[1].rstrip(), parts[1], parts[0][2:]])
    assert read(shuffled) == read(SEED)


def test_a_passage_whose_runbook_is_gone_is_written_after_the_others():
    handbook = read(SEED.replace("## Runbook: Aggregate Profit", "## Notes\nMine.\n\n## Runbook: Aggregate Profit"))
    [passage] = handbook.extras
    assert passage.place == "runbook unit level profit experiment focused"
    fewer = replace(handbook, runbooks=handbook.runbooks[1:])
    assert write_handbook(fewer).endswith("## Notes\nMine.\n")


@each(
    ("typed", "kept"),
    [
        (
            "### Purpose\r\n\r\nTo measure.\r\n\r\n\r\n### Steps ###\r\n1. Go.\r\n",
            "### Purpose\nTo measure.\n\n### Steps\n1. Go.",
        ),
        ("# Title\ntext", "### Title\ntext"),
        ("## Runbook: Other\ntext", "### Runbook: Other\ntext"),
        ("##Runbook: Other", "### Runbook: Other"),
        ("###\ntext", "text"),
        ("### A\n```\n# code", "### A\n```\n# code\n```"),
        ("### A\ntext\n\n---\n", "### A\ntext"),
        ("itâ€™s\x1b", "it’s"),
        ("### " + "x" * 401, "x" * 401),
        ("", ""),
    ],
)
def test_a_typed_runbook_is_kept_as_its_export_would_be_read(typed, kept):
    assert normalize_runbook(typed) == kept
