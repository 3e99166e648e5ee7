"""Properties of the handbook's file format: nothing is lost, and what is written reads back the same."""

import string
from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from people.domain.names import match_key
from runbooks.domain.handbook_model import HandbookErrors
from runbooks.domain.runbook_text import normalize_runbook, split_sections
from runbooks.domain.text_cleanup import mend, tidy_name
from tests.each import each
from tests.handbook.strategies import BODIES, drafts, styles, typed
from tests.thorough import cases

SEED = Path(__file__).parents[2] / "examples" / "handbook.md"
LINES = SEED.read_text().split("\n")
QUICK = settings(max_examples=cases(50), deadline=None, suppress_health_check=list(HealthCheck))


def read(text):
    return read_handbook(text.encode())


def assert_fixed_point(handbook):
    written = write_handbook(handbook)
    again = read(written)
    assert again == handbook
    assert write_handbook(again) == written


@QUICK
@given(drafts())
def test_what_is_written_reads_back_the_same(draft):
    assert_fixed_point(read(typed(draft)))


@QUICK
@given(drafts(), styles)
def test_how_a_file_is_typed_makes_no_difference(draft, style):
    assert read(typed(draft, style)) == read(typed(draft))


@QUICK
@given(drafts())
def test_every_fact_of_the_file_is_read(draft):
    handbook = read(typed(draft))
    assert len(handbook.pipelines) == len(draft.pipelines)
    engineers = [match_key(tidy_name(name)) for name in draft.engineers]
    assert list(map(match_key, handbook.rotations[0].engineers)) == engineers
    assert len(handbook.rotations[0].holiday_policy.rules) == len(draft.rules)
    assert len(handbook.rotations[0].handoff.topics) == len(draft.topics)
    assert [len(book.sections) for book in handbook.runbooks] == [len(sections) for _, sections in draft.runbooks]


@QUICK
@given(drafts())
def test_every_other_text_is_kept_word_for_word_in_its_place(draft):
    handbook = read(typed(draft))
    stored = [(passage.place, passage.markdown.split()) for passage in handbook.extras]
    assert stored == [(place, text.split()) for place, texts in draft.extras.items() for text in texts]


PIECES = [
    "", "  ", "---", "***", "text", "  text  ", "# Other", "## Other", "### Other", "###", "#### Deep", "- item", "  - nested", "1. one",
    "```", "~~~", "`", "|", "| a | b |", "|---|---|", "|---|---|---|", "| a | b | c |", "- **Week 5**: Eve", "- **Week 1**: Eve", "> quote",
    "## Runbook: Daily growth", "# Runbooks for Pipelines", "# On-Call Schedule", "## Holiday Policy", "## Team Rotation", "- 15 minutes",
    "- Topics:", "    code", "\tcode", "===", "<b>", "â€™", "\u00a0", "Ã\u00a0", "\u2028", "\x0c", "\ufeff", "- - -", "* *", "+", "\\", "##Runbook: x",
]  # fmt: skip

changes = st.lists(
    st.tuples(
        st.sampled_from(["insert", "replace", "delete", "repeat", "join", "append"]),
        st.integers(0, 60),
        st.one_of(st.sampled_from(PIECES), st.text(max_size=8)),
    ),
    min_size=1,
    max_size=6,
)
# One runbook is enough to be changed.
SHORT = LINES[: LINES.index("---", 40)]


def changed(lines, steps):
    lines = list(lines)
    for step, at, piece in steps:
        place = at % max(len(lines), 1)
        there = lines[place : place + 1]
        lines[place : place + 1] = {
            "insert": [piece, *there],
            "replace": [piece],
            "delete": [],
            "repeat": [*there, *there],
            "join": ["".join(there) + piece],
            "append": [*there, piece],
        }[step]
    return "\n".join(lines)


@settings(QUICK, max_examples=cases(300))
@given(changes)
def test_a_changed_file_is_refused_with_lines_or_reads_back_the_same(steps):
    text = changed(SHORT, steps)
    try:
        handbook = read(text)
    except HandbookErrors as refused:
        count = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        assert refused.errors
        assert all(1 <= error.line <= count for error in refused.errors)
        assert [error.line for error in refused.errors] == sorted(error.line for error in refused.errors)
    else:
        assert_fixed_point(handbook)


@settings(QUICK, max_examples=cases(150))
@given(changes)
def test_no_word_of_a_changed_file_is_dropped(steps):
    text = changed(SHORT, [step for step in steps if step[2].isascii()])
    try:
        handbook = read(text)
    except HandbookErrors:
        return
    marks = str.maketrans("", "", string.punctuation + string.digits)
    # More than was there may be written: the heading of the runbooks, where there were none.
    assert not Counter(text.translate(marks).split()) - Counter(write_handbook(handbook).translate(marks).split())


@settings(QUICK, max_examples=cases(300))
@given(st.binary(max_size=200), st.integers(0, 5000))
def test_any_bytes_are_read_or_refused(noise, at):
    whole = SEED.read_bytes()
    for data in (noise, whole[:at] + noise + whole[at + len(noise) :]):
        try:
            read_handbook(data)
        except HandbookErrors as refused:
            assert refused.errors


texts = st.lists(st.one_of(st.sampled_from([*PIECES, *BODIES]), st.text(max_size=12)), max_size=12).map("\n".join)


@settings(QUICK, max_examples=cases(500))
@given(texts)
def test_a_runbook_typed_on_the_site_survives_export_and_import(text):
    text = text.replace("\0", "")
    sections = split_sections(text)
    stored = normalize_runbook(text)
    assert normalize_runbook(stored) == stored
    assert split_sections(stored) == sections
    handbook = read("\n".join(SHORT))
    [runbook] = handbook.runbooks
    book = type(runbook)(runbook.name, runbook.audience, sections)
    assert book.markdown == stored
    whole = replace(handbook, runbooks=(book,), extras=())
    assert read(write_handbook(whole)) == whole


@each("body", BODIES)
def test_the_text_of_a_section_is_kept_word_for_word(body):
    typed_in = "\n".join(SHORT).replace("This pipeline calculates", f"{body}\n\nThis pipeline calculates")
    [runbook] = read(typed_in).runbooks
    assert body in runbook.markdown


def test_words_that_a_repair_would_turn_into_a_control_character_stay():
    assert mend("Ā¨ pipelineâ€™s") == "Ā¨ pipelineâ€™s"
    assert mend("Ā¨") == "Ā¨"
    assert mend("pipelineâ€™s") == "pipeline’s"
