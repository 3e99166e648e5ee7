"""Evidence blocks in a runbook's text: their syntax, and that nothing else can pass for one."""

import pytest

from runbooks.domain.evidence import EvidenceBlock, evidence_blocks, extend_blocks, fence_check_lines, without_blocks
from runbooks.domain.rendering import render, render_note
from runbooks.domain.runbook_text import normalize_runbook
from runbooks.domain.steps import runbook_steps
from tests.each import each

TITLE = "### Troubleshooting Steps\n\n"
SQL = EvidenceBlock("sql", "Demo warehouse", "SELECT 'a<b' AS x\n  , \"y\" & 1")
CHECK = EvidenceBlock("check", "logs-are-fresh")


def steps(markdown):
    return runbook_steps(render(normalize_runbook(TITLE + markdown)).html)


def fenced(info, text="SELECT 'a<b' AS x\n  , \"y\" & 1", indent="   "):
    lines = [f"```{info}", *text.split("\n"), "```"]
    return "\n".join(indent + line for line in lines)


@each(
    ("markdown", "block"),
    [
        (fenced('sql source="Demo warehouse"'), SQL),
        (fenced("sql source=Demo warehouse"), SQL),
        (fenced("sql  source=Demo warehouse ").replace("```", "~~~"), SQL),
        (fenced('sql source="Demo warehouse"', indent=""), SQL),
        ("   check: logs-are-fresh", CHECK),
        ("check: logs-are-fresh  ", CHECK),
        (fenced("check: logs-are-fresh", ""), CHECK),
        ("   check: daily-growth/logs-are-fresh", EvidenceBlock("check", "daily-growth/logs-are-fresh")),
    ],
)
@each("gap", ["\n", "\n\n"])
def test_a_block_belongs_to_the_step_above_it(markdown, block, gap):
    first, second = steps(f"1. Look.{gap}{markdown}\n2. Act.\n")
    assert (first.text, first.blocks) == ("Look.", (block,))
    assert (second.text, second.blocks) == ("Act.", ())
    [last] = steps(f"1. Look.{gap}{markdown}\n")
    assert (last.text, last.blocks) == ("Look.", (block,))


@each(
    "markdown",
    [
        fenced("sql"),
        fenced("sql title=x"),
        fenced("python source=x"),
        fenced('sql source="a<b"'),
        fenced(f"sql source={'x' * 121}"),
        fenced("check: Two Words"),
        fenced(f"check: {'x' * 121}"),
        "   check: Logs are late, or not",
        "   Then check: logs",
        fenced("text", "check: logs-are-fresh"),
        '   <pre lang="python" data-meta="source=x"><code>SELECT 1</code></pre>',
        '   <figure class="evidence" data-evidence="sql" data-name="x"><pre><code>SELECT 1</code></pre></figure>',
    ],
)
def test_other_text_is_not_a_block_and_leaves_no_trace(markdown):
    rendered = render(normalize_runbook(f"{TITLE}1. Look.\n\n{markdown}\n")).html
    assert evidence_blocks(rendered) == ()
    assert "data-meta" not in rendered
    assert "figure" not in rendered


@pytest.mark.parametrize(
    "shown",
    [
        "SELECT count(*) FROM (<code>SELECT email FROM users</code>) t",
        "<code>SELECT 1</code> -- <code>SELECT email FROM users</code>",
        "<code>SELECT email -- per day<br>FROM users</code>",
        "<code>SELECT <b>1</b></code>",
        "SELECT 1",
    ],
)
def test_the_text_that_an_admin_reads_is_the_text_that_runs(shown):
    """A block with raw HTML, which would be shown but not run, is not an evidence block."""
    start = f'{TITLE}1. Look.\n\n   <pre lang="sql" data-meta="source=x">'
    rendered = render(f"{start}{shown}</pre>\n").html
    assert evidence_blocks(rendered) == ()
    assert "data-meta" not in rendered
    [block] = evidence_blocks(render(f"{start}<code>SELECT 1</code></pre>\n").html)
    assert block.query == "SELECT 1"


def test_a_block_is_identified_by_source_and_text():
    keys = {EvidenceBlock("sql", name, query).key for name in ("a", "b") for query in ("SELECT 1", "SELECT  1")}
    assert len(keys) == 4
    assert EvidenceBlock("sql", "a", "SELECT 1").key in keys


def test_lines_in_code_stay_as_they_are():
    text = "```\ncheck: a\n```\n- ```sh\n  check: b\n  ```\n~~~\n```\ncheck: c\n~~~\n"
    assert fence_check_lines(text) == text
    assert fence_check_lines("check: a\ncheck b\n") == "```check: a\n```\ncheck b\n"


def test_blocks_are_extended_and_removed():
    rendered = render(f"{TITLE}1. Look.\n\n{fenced('sql source=x', 'SELECT 1')}\n   check: a\n").html
    sql, check = evidence_blocks(rendered)
    extended = extend_blocks(rendered, addition=lambda block: f"<p>{block.name}</p>")
    assert (extended.count("<p>x</p></figure>"), extended.count("<p>a</p></figure>")) == (1, 1)
    assert evidence_blocks(extended) == (sql, check)
    assert evidence_blocks(without_blocks(rendered, keys={sql.key})) == (check,)
    assert evidence_blocks(without_blocks(rendered)) == ()


def test_a_note_has_no_blocks():
    assert evidence_blocks(render_note(f"{fenced('sql source=x', indent='')}\ncheck: a")) == ()
