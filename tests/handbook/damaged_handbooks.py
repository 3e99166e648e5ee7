"""Damaged handbook files, each with exactly what is wrong with it."""

from pathlib import Path

SEED = (Path(__file__).parents[2] / "examples" / "handbook.md").read_text()
HEADS, DASHES, ROW = SEED.splitlines(keepends=True)[2:5]
HEADS, DASHES = HEADS.rstrip(), DASHES.rstrip()
TABLE = SEED[SEED.index(HEADS) : SEED.index("---\n\n# On-Call")]
ROWS = TABLE[TABLE.index(ROW) :]
X = "x" * 59 + "…"

# What is damaged: the text in the example, its replacement, the error.
DAMAGED = {
    "an empty cell": (
        ROW,
        "| Unit-level profit (experiment-focused) | Engineer A | |\n",
        ["line 5: the secondary owner is empty, expected a name"],
    ),
    "an empty name of a pipeline": (
        ROW,
        "|  | Engineer A | Engineer B |\n",
        ["line 5: the pipeline is empty, expected a name"],
    ),
    "a row with two cells": (
        ROW,
        "| Unit-level profit (experiment-focused) | Engineer A |\n",
        ["line 5: the row has 2 cells, expected 3 (a pipe inside a cell is written \\|)"],
    ),
    "a pipe that is not escaped": (
        ROW,
        "| Unit|level profit | Engineer A | Engineer B |\n",
        ["line 5: the row has 4 cells, expected 3 (a pipe inside a cell is written \\|)"],
    ),
    "one owner twice": (
        ROW,
        "| Unit-level profit (experiment-focused) | Engineer A | engineer  a |\n",
        ["line 5: “Engineer A” is both primary and secondary owner, expected two people"],
    ),
    "two pipelines of one meaning": (
        "| Aggregate profit (investor reporting)",
        "| Unit Level Profit — Experiment focused",
        [
            "line 6: the pipeline “Unit Level Profit — Experiment focused” is already on line 5, expected each pipeline once",
            "line 67: no pipeline is named “Aggregate Profit (Investor Reporting)”, expected “Aggregate growth (investor reporting)”, the nearest",
        ],
    ),
    "a column missing": (
        HEADS,
        "| **Pipeline** | **Primary Owner** | **Team** |",
        [
            "line 3: the table has no column “Secondary Owner”, expected the columns “Pipeline”, “Primary Owner” and “Secondary Owner”"
        ],
    ),
    "a column misspelled": (
        HEADS,
        "| **Pipeline** | **Primary Owner** | **Secondry Owner** |",
        [
            "line 3: the table has no column “Secondary Owner” (is it “Secondry Owner”?), expected the columns “Pipeline”, “Primary Owner” and “Secondary Owner”"
        ],
    ),
    "a lone backtick in an extra column": (
        f"{HEADS}\n{DASHES}\n{ROW}",
        f"{HEADS} Team |\n{DASHES}---|\n{ROW.rstrip()} a`b |\n",
        [
            "line 5: the cell “a`b” has a lone backtick, expected backticks in pairs",
            *[
                f"line {line}: the row has 3 cells, expected 4 (a pipe inside a cell is written \\|)"
                for line in range(6, 10)
            ],
        ],
    ),
    "a column twice": (
        HEADS,
        "| **Pipeline** | **Primary Owner** | **Primary owner** |",
        [
            "line 3: the table has no column “Secondary Owner”, expected the columns “Pipeline”, “Primary Owner” and “Secondary Owner”",
            "line 3: the table has a second column “Primary owner”, expected the columns “Pipeline”, “Primary Owner” and “Secondary Owner”",
        ],
    ),
    "no row of dashes": (
        f"{DASHES}\n",
        "",
        ["line 3: the table header has no separator row, expected |---|---|---| below it"],
    ),
    "too few dashes": (
        DASHES,
        "|---|---|",
        ["line 3: the table header has no separator row, expected |---|---|---| below it"],
    ),
    "no table": (
        TABLE,
        "Nobody owns anything.\n\n",
        [
            "line 1: there is no ownership table, expected a table with a header row, a separator row and a row for each pipeline"
        ],
    ),
    "no rows": (ROWS, "\n", ["line 3: the table has no pipeline, expected at least one row"]),
    "an empty line inside the table": (
        ROW,
        f"\n{ROW}",
        [
            "line 3: the table has no pipeline, expected at least one row",
            "line 6: this row is separated from the table, expected no blank line inside the table",
        ],
    ),
    "text run into the table": (
        "Engineer D           |\n\n---",
        "Engineer D           |\nThese are final.\n\n---",
        ["line 10: the row has 1 cell, expected 3 (a pipe inside a cell is written \\|)"],
    ),
    "a lone backtick": (
        ROW,
        "| Unit-level profit (experiment-focused) | Engineer` A | Engineer B |\n",
        ["line 5: the primary owner “Engineer` A” has a lone backtick, expected backticks in pairs"],
    ),
    "too long a pipeline": (
        ROW,
        "| " + "x" * 201 + " | Engineer A | Engineer B |\n",
        [
            f"line 5: the pipeline “{X}” has 201 characters, expected at most 200",
            "line 40: no pipeline is named “Unit-Level Profit (Experiment-Focused)”, expected “Daily growth (experiment-focused)”, the nearest",
        ],
    ),
    "too long an audience": (
        ROW,
        "| Profit (" + "x" * 121 + ") | Engineer A | Engineer B |\n",
        [
            f"line 5: the audience “{X}” has 121 characters, expected at most 120",
            "line 40: no pipeline is named “Unit-Level Profit (Experiment-Focused)”, expected “Daily growth (experiment-focused)”, the nearest",
        ],
    ),
    "too long an engineer": (
        ROW,
        "| Unit-level profit (experiment-focused) | Engineer A | " + "x" * 121 + " |\n",
        [f"line 5: the secondary owner “{X}” has 121 characters, expected at most 120"],
    ),
    "no ownership": (
        SEED[: SEED.index("---\n\n# On-Call")],
        "",
        ["line 1: the part “Ownership of Pipelines” is missing, expected “# Ownership of Pipelines”"],
    ),
    "ownership twice": (
        "# On-Call Schedule",
        "# Ownership of pipelines\n\n# On-Call Schedule",
        ["line 13: a second part “Ownership of Pipelines” (the first is on line 1), expected one"],
    ),
    "no space after the hashes": (
        "## Runbook: Daily",
        "##Runbook: Daily",
        [
            "line 121: “##Runbook: Daily Growth (Experiment-Focused)” is not a heading, expected a space after the hashes"
        ],
    ),
    "no heading of the schedule": (
        "# On-Call Schedule\n\n## Weekly Rotation",
        "## On-Call Schedule\n\n### Weekly Rotation",
        ["line 13: “## On-Call Schedule” is not a known part, expected “# On-Call Schedule”"],
    ),
    "no rotation": (
        SEED[SEED.index("## Weekly Rotation") : SEED.index("## Holiday Policy")],
        "",
        ["line 13: the part “Weekly Rotation” is missing, expected “## Weekly Rotation” under “# On-Call Schedule”"],
    ),
    "two rotations": (
        "## Holiday Policy",
        "## Weekly Rotation\n\n## Holiday Policy",
        ["line 23: a second section “Weekly Rotation” (the first is on line 15), expected one “## Weekly Rotation”"],
    ),
    "a second rotation with errors": (
        "## Holiday Policy",
        "## Platform Rotation\n- **Week 1**: Engineer C\n- **Week 3**: Engineer D\n\n## Holiday Policy",
        ["line 25: week 3 is in position 2, expected week 2"],
    ),
    "no weeks": (
        "- **Week 1**: Engineer A\n- **Week 2**: Engineer B\n- **Week 3**: Engineer C\n- **Week 4**: Engineer D\n",
        "To be decided.\n",
        ["line 15: the rotation has no weeks, expected a list such as “- **Week 1**: Engineer A”"],
    ),
    "a week left out": (
        "- **Week 2**: Engineer B\n",
        "",
        ["line 19: week 3 is in position 2, expected week 2", "line 20: week 4 is in position 3, expected week 3"],
    ),
    "a week twice": (
        "- **Week 2**: Engineer B",
        "- **Week 1**: Engineer B",
        ["line 19: week 1 is in position 2, expected week 2"],
    ),
    "weeks from zero": (
        "- **Week 1**: Engineer A",
        "- **Week 0**: Engineer A",
        ["line 18: week 0 is in position 1, expected week 1"],
    ),
    "weeks not in order": (
        "- **Week 3**: Engineer C\n- **Week 4**: Engineer D",
        "- **Week 4**: Engineer D\n- **Week 3**: Engineer C",
        ["line 20: week 4 is in position 3, expected week 3", "line 21: week 3 is in position 4, expected week 4"],
    ),
    "a week without an engineer": (
        "- **Week 2**: Engineer B",
        "- **Week 2**:",
        ["line 19: week 2 has no engineer, expected a name"],
    ),
    "an item that is no week": (
        "- **Week 2**: Engineer B",
        "- Engineer B",
        ["line 19: “Engineer B” is not a week, expected “**Week 2**: ” and a name"],
    ),
    "an engineer in two weeks": (
        "- **Week 3**: Engineer C",
        "- **Week 3**: ENGINEER A",
        ["line 20: “ENGINEER A” is already on line 18, expected each engineer once"],
    ),
    "a list inside a week": (
        "- **Week 2**: Engineer B",
        "- **Week 2**: Engineer B\n  - Engineer C helps",
        ["line 20: there is a list inside a week, expected one line each"],
    ),
    "weeks torn apart": (
        "- **Week 3**",
        "Halfway:\n\n- **Week 3**",
        ["line 19: week 2 continues on the next line, expected one line per week, and a blank line after the list"],
    ),
    "weeks torn apart by prose": (
        "- **Week 3**",
        "\nHalfway:\n\n- **Week 3**",
        [
            "line 23: this week is not in the list of weeks, expected all weeks in one list",
            "line 24: this week is not in the list of weeks, expected all weeks in one list",
        ],
    ),
    "two holiday policies of one rotation": (
        "## Daily Onboarding",
        "## Holiday Policy\n\n## Daily Onboarding",
        ["line 28: a second section “Holiday Policy” (the first is on line 23), expected one “## Holiday Policy”"],
    ),
    "an empty rule": (
        "2. Secondary owner steps in when the primary is unavailable.",
        "2.",
        ["line 25: the rule is empty, expected a sentence"],
    ),
    "a list inside a rule": (
        "2. Secondary",
        "2. As follows:\n   - Secondary",
        ["line 26: there is a list inside a rule, expected one line each"],
    ),
    "no hand-off": (
        "## Daily Onboarding Hand-Off",
        "## Daily Onboarding",
        [
            "line 28: “## Daily Onboarding” is not a known part, expected “## Daily Onboarding Hand-Off” under “# On-Call Schedule”"
        ],
    ),
    "no length": (
        "**20-30 minute meeting**",
        "**short meeting**",
        ["line 28: the meeting has no length, expected a line such as “- Schedule a **20-30 minute meeting** …”"],
    ),
    "a length in hours": (
        "20-30 minute",
        "1.5 hour",
        ["line 28: the meeting has no length, expected a line such as “- Schedule a **20-30 minute meeting** …”"],
    ),
    "the longer length first": (
        "20-30 minute",
        "30-20 minute",
        ["line 29: the meeting lasts 30 to 20 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "no time at all": (
        "20-30 minute",
        "0 minute",
        ["line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "too long a meeting": (
        "20-30 minute",
        "300 minute",
        ["line 29: the meeting lasts 300 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "no topics": (
        "- Topics to discuss:\n  - Active issues being resolved.\n  - Known outages or delays.\n  - Status of all pipelines.\n  - Pending action items.\n",
        "",
        ["line 28: the hand-off has no topics, expected “- Topics to discuss:” with a list indented below it"],
    ),
    "a topic twice": (
        "Known outages or delays.",
        "Active issues, being resolved",
        ["line 32: “Active issues, being resolved” is already on line 31, expected each topic once"],
    ),
    "an empty topic": ("  - Known outages or delays.", "  -", ["line 32: the topic is empty, expected some words"]),
    "topics without a label": (
        "- Topics to discuss:",
        "- :",
        ["line 30: the list of topics has no label, expected “Topics to discuss:”"],
    ),
    "a list inside a topic": (
        "  - Known outages or delays.",
        "  - Known outages or delays.\n    - Of today",
        ["line 33: there is a list inside a topic, expected one line each"],
    ),
    "topics above the meeting": (
        "## Daily Onboarding Hand-Off\n",
        "## Daily Onboarding Hand-Off\n- First:\n  - Coffee\n",
        ["line 29: the topics come before the meeting, expected the meeting's length first"],
    ),
    "a runbook of no pipeline": (
        "## Runbook: Daily Growth",
        "## Runbook: Dayly Growth",
        [
            "line 121: no pipeline is named “Dayly Growth (Experiment-Focused)”, expected “Daily growth (experiment-focused)”, the nearest"
        ],
    ),
    "a runbook of nothing like a pipeline": (
        "## Runbook: Daily Growth (Experiment-Focused)",
        "## Runbook: 猫",
        ["line 121: no pipeline is named “猫”, expected a name from the ownership table"],
    ),
    "a runbook twice": (
        "## Runbook: Daily Growth (Experiment-Focused)",
        "## Runbook: aggregate growth, investor reporting",
        [
            "line 121: the runbook of “aggregate growth, investor reporting” is already on line 94, expected one for each pipeline"
        ],
    ),
    "a runbook without a name": (
        "## Runbook: Daily Growth (Experiment-Focused)",
        "## Runbook:",
        ["line 121: the runbook names no pipeline, expected “## Runbook: ” and a pipeline's name"],
    ),
    "a runbook's heading without the word": (
        "## Runbook: Daily",
        "## Daily",
        [
            "line 121: “Daily Growth (Experiment-Focused)” names a pipeline but is not a runbook heading, expected “## Runbook: Daily Growth (Experiment-Focused)”"
        ],
    ),
    "a runbook in the wrong part": (
        "# Runbooks for Pipelines\n",
        "",
        [
            "line 39: a runbook is under “On-Call Schedule”, expected runbooks under “# Runbooks for Pipelines”",
            "line 66: a runbook is under “On-Call Schedule”, expected runbooks under “# Runbooks for Pipelines”",
            "line 93: a runbook is under “On-Call Schedule”, expected runbooks under “# Runbooks for Pipelines”",
            "line 120: a runbook is under “On-Call Schedule”, expected runbooks under “# Runbooks for Pipelines”",
            "line 147: a runbook is under “On-Call Schedule”, expected runbooks under “# Runbooks for Pipelines”",
        ],
    ),
    "a section without a title": (
        "### Purpose\nThis pipeline measures",
        "###\nThis pipeline measures",
        ["line 96: the section has no title, expected “### ” and a title"],
    ),
    "too large a runbook": (
        "This pipeline measures",
        "x" * 70000,
        ["line 94: the runbook “Aggregate Growth” has 70,833 bytes, expected at most 65,536"],
    ),
    "too long a title": (
        "## Holiday Policy",
        "## Holiday Policy " + "x" * 120,
        ["line 23: the title has 135 characters, expected at most 120"],
    ),
    "too long a text about the rotation": (
        "Each engineer is on call for one week, ensuring even distribution across a 4-week cycle.",
        "x" * 10_001,
        ["line 15: the text about the rotation has 10,001 characters, expected at most 10,000"],
    ),
    "too long a topic": (
        "Known outages or delays.",
        "x" * 401,
        ["line 32: the topic has 401 characters, expected at most 400"],
    ),
    "too long a section's title": (
        "### Purpose\nThis pipeline measures",
        "### " + "x" * 401 + "\nThis pipeline measures",
        ["line 96: the section's title has 401 characters, expected at most 400"],
    ),
    "too long a label": (
        "Topics to discuss",
        "x" * 121,
        ["line 30: the label of the topics has 121 characters, expected at most 120"],
    ),
    "a block of code left open": (
        "This pipeline measures",
        "```sql\nThis pipeline measures",
        ["line 97: this code block is not closed, expected a closing line ```"],
    ),
    "a control character": (
        "Known outages",
        "Known \x1boutages",
        ["line 32: the control character U+001B, expected text"],
    ),
    "a character that reverses what follows": (
        "Known outages",
        "Known \u202eoutages",
        ["line 32: the control character U+202E, expected text"],
    ),
    "a separator of lines": (
        "Known outages",
        "Known\u2028outages",
        ["line 32: the control character U+2028, expected text"],
    ),
}

# Files that are damaged as a whole.
BROKEN = {
    "a byte that is not UTF-8": (
        SEED.encode().replace(b"Known outages", b"Known \xff outages"),
        ["line 32: the byte 0xFF is not UTF-8, expected a file saved as UTF-8"],
    ),
    "a file in Latin-1": (
        SEED.replace("’", "´").encode("latin-1"),
        ["line 84: the byte 0xB4 is not UTF-8, expected a file saved as UTF-8"],
    ),
    "a file in UTF-16": (SEED.encode("utf-16"), ["line 1: the file is UTF-16, expected UTF-8"]),
    "a file in UTF-32": (SEED.encode("utf-32"), ["line 1: the file is UTF-32, expected UTF-8"]),
    "NUL": (
        SEED.replace("Known outages", "Known\0outages").encode(),
        ["line 32: the control character U+0000, expected text"],
    ),
    "too large a file": (
        SEED.encode().ljust(2 * 1024 * 1024 + 1),
        ["line 1: the file has 2,097,153 bytes, expected at most 2,097,152"],
    ),
    "an empty file": (
        b"",
        [
            "line 1: the part “Ownership of Pipelines” is missing, expected “# Ownership of Pipelines”",
        ],
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n", ["line 1: the byte 0x89 is not UTF-8, expected a file saved as UTF-8"]),
    "another text": (
        b"# Shopping list\n\n- milk\n",
        [
            "line 1: the part “Ownership of Pipelines” is missing, expected “# Ownership of Pipelines”",
        ],
    ),
    "errors in four parts": (
        SEED.replace("20-30", "0")
        .replace("Week 2", "Week 9")
        .replace("Engineer B           |", "Engineer A |")
        .replace("Runbook: Daily", "Runbook: Nightly")
        .encode(),
        [
            "line 5: “Engineer A” is both primary and secondary owner, expected two people",
            "line 19: week 9 is in position 2, expected week 2",
            "line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first",
            "line 121: no pipeline is named “Nightly Growth (Experiment-Focused)”, expected “Daily growth (experiment-focused)”, the nearest",
        ],
    ),
    "an error in a file with CRLF": (
        SEED.replace("20-30", "0").replace("\n", "\r\n").encode(),
        ["line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "an error in a file with CR": (
        SEED.replace("20-30", "0").replace("\n", "\r").encode(),
        ["line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "an error after a byte-order mark": (
        b"\xef\xbb\xbf" + SEED.replace("20-30", "0").encode(),
        ["line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
    "an error below mended text": (
        SEED.replace("Week 1", "WeekÂ\u00a01").replace("20-30", "0").encode(),
        ["line 29: the meeting lasts 0 minutes, expected 20 to 30 minutes, the shorter length first"],
    ),
}
