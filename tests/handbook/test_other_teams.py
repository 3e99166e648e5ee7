"""Handbooks as other teams write them: what is understood, and exact errors for what is not."""

import pytest

from handbook.format.reader import read_handbook
from handbook.format.writer import write_handbook
from runbooks.domain.handbook_model import HandbookErrors
from tests.each import each
from tests.handbook.damaged_handbooks import SEED

ROW = "| Unit-level profit (experiment-focused)      | Engineer A         | Engineer B           |"


def errors(text):
    with pytest.raises(HandbookErrors) as caught:
        read_handbook(text.encode())
    return [str(error) for error in caught.value.errors]


@each(
    "cell",
    [
        "[Engineer A](https://example.org/a)",
        '[Engineer A](https://example.org/a "Her page")',
        "[Engineer A][a]",
        "**[Engineer A](https://example.org/a)**",
        "Engineer&nbsp;A",
        "Engineer&#32;A",
        "@engineer-a",
        "[@engineer-a](https://example.org/a)",
        "*Engineer A*",
        "_Engineer A_",
        "***Engineer A***",
        "`Engineer A`",
        "__Engineer A__",
    ],
)
def test_an_owner_cell_is_read_as_the_person_it_shows(cell):
    handbook = read_handbook(SEED.replace("| Engineer A         | Engineer B", f"| {cell} | Engineer B").encode())
    assert set(handbook.engineers) >= {"Engineer B", "Engineer C", "Engineer D"}
    assert len(handbook.engineers) == 4


def test_a_week_of_the_rotation_may_name_a_link():
    handbook = read_handbook(SEED.replace("**Week 1**: Engineer A", "**Week 1**: [Engineer A](https://e.org)").encode())
    assert handbook.rotations[0].engineers == ("Engineer A", "Engineer B", "Engineer C", "Engineer D")


@pytest.mark.parametrize(
    "cell",
    [
        "Engineer A, Engineer C",
        "Engineer A & Engineer C",
        "Engineer A and Engineer C",
        "Engineer A<br>Engineer C",
        "A / C",
    ],
)
def test_an_owner_cell_with_two_names_is_an_error_with_its_line(cell):
    [error] = errors(SEED.replace("| Engineer A         | Engineer B", f"| {cell} | Engineer B"))
    assert error.startswith("line 5: the primary owner")
    assert error.endswith("names 2 people, expected one name")


@pytest.mark.parametrize("cell", ["_unassigned_", "Unassigned", "TBD", "n/a", "*none*"])
def test_an_unassigned_owner_is_an_error_and_no_person(cell):
    [error] = errors(SEED.replace("| Engineer B           |", f"| {cell} |", 1))
    assert "expected a person: every pipeline has two owners" in error


def test_a_lost_closing_bracket_is_an_error():
    actual = errors(
        SEED.replace("Unit-level profit (experiment-focused)  ", "Unit-level profit (experiment-focused  ", 1)
    )
    assert actual[0].startswith(
        "line 5: the pipeline “Unit-level profit (experiment-focused” has a bracket without its pair"
    )


@each(
    ("old", "new"),
    [
        ("# Ownership of Pipelines\n", "Ownership of Pipelines\n======================\n"),
        ("## Weekly Rotation\n", "Weekly Rotation\n---\n"),
        ("## Weekly Rotation\n", "## On-call rota\n"),
        ("## Runbook: Daily Growth (Experiment-Focused)\n", "Runbook: Daily Growth (Experiment-Focused)\n------\n"),
        ("**Primary Owner**  | **Secondary Owner**", "Owner | Backup owner"),
        ("**Primary Owner**  | **Secondary Owner**", "Primary | Secondary"),
    ],
)
def test_other_spellings_of_headings_and_columns_are_read(old, new):
    assert old in SEED
    handbook = read_handbook(SEED.replace(old, new).encode())
    seed = read_handbook(SEED.encode())
    assert (handbook.pipelines, handbook.rotations[0].turns, handbook.runbooks) == (
        seed.pipelines,
        seed.rotations[0].turns,
        seed.runbooks,
    )


@pytest.mark.parametrize("levels", [1, 2])
def test_parts_some_levels_deeper_are_read_below_a_title(levels):
    marks = "#" * levels
    deeper = "# Data team\n\n" + "\n".join(
        f"{marks}{line}" if line.startswith("#") else line for line in SEED.split("\n")
    )
    handbook, seed = read_handbook(deeper.encode()), read_handbook(SEED.encode())
    assert (handbook.pipelines, handbook.rotations[0], handbook.rotations[0].handoff, handbook.runbooks) == (
        seed.pipelines,
        seed.rotations[0],
        seed.rotations[0].handoff,
        seed.runbooks,
    )
    assert read_handbook(write_handbook(handbook).encode()) == handbook
