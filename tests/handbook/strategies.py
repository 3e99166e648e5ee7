"""Hypothesis strategies for handbook files: what one says, and the many ways to type it."""

from dataclasses import dataclass

from hypothesis import strategies as st

from handbook.format.tables import TWO_NAMES, UNASSIGNED
from people.domain.names import match_key
from runbooks.domain.text_cleanup import mend, tidy_name, tidy_person

PEOPLE = [
    "Engineer A", "李 Wei", "مريم الخوارزمي", "Zoë O’Neil-Smith", "Ω", "नीलम शर्मा", "🦉 Owl", "👩‍👩‍👧 Team", "e\u0301lan", "Nguyễn Thị",
    "a|b", "a`|`b", "*star", "Anna (contractor)", ": colon", "- dash", "Week 2: Bob", "#1", "1. one", "\\", "a\\|b", "__dunder",
    "ﬁne", "İpek", "ßen", "C++", "\u200fעדה",
]  # fmt: skip
PIPELINES = [
    "Unit-level profit", "利益 パイプライン", "Aggregate | growth", "DAU/MAU", "تفاعل", "A (b)", "x\\|y", "**half", "💰 revenue", "`code | span`",
    "Runbook: odd", "Étude", "Profit #", "a`b`c",
]  # fmt: skip
AUDIENCES = ["", "", "experiment-focused", "investor reporting", "投資家", "a (b)", "|", "🦉"]
TITLES = [
    "Purpose",
    "Pipeline Components",
    "Failure Scenarios",
    "Troubleshooting Steps",
    "Metrics Validation",
    "目的",
    "C#",
    "a | b",
    "`#`",
]
BODIES = [
    "This pipeline computes.",
    "- **Data Sources**: logs.\n* other\n+ third",
    "1. Check.\n2. Rerun.\n\n   ```sh\n   # no heading\n\n\n   ---\n   ```",
    "```sql\n-- a comment  \n# not a heading\n## Runbook: not one\n---\n\tselect 1 | 2;   \n```",
    "~~~\n```\n~~~",
    "before\n\n---\n\nafter",
    "| a | b |\n|:--|--:|\n| 1 | \\| |",
    "> quoted\n> twice",
    "#### Deeper\n\ntext",
    "hard  \nbreak",
    "    indented code\n\n\n    more",
    "Underlined\n---",
    "<!-- kept -->",
    "Line of `code with â€™ kept` and 李.",
    "",
]
PASSAGES = [
    "Some prose.",
    "Two\nlines.",
    "```\n# code\n- **Week 1**: nobody\n```",
    "> a note",
    "**Bold** words | with a pipe",
]
TOPICS = ["Active issues.", "Known: `outages`", "1. first", "a | b", "保留中の項目", "- dash", "**Week 1**: x", "é`–`"]
HEADED = ["## Contacts\nCall us.", "## Lunch\n- noon\n\n### Where\nHere.", "## 連絡先"]
WHOLE = ["# Appendix\nText.", "# Glossary\n\n- DAU: daily", "# 付録"]

letters = st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="`\\\ufeff")
words = st.text(letters, min_size=1, max_size=12).filter(lambda text: match_key(tidy_name(text)) and mend(text) == text)
# Names of people as plain text: a cell with links, entities, emphasis or two names is in test_other_teams.py.
person_letters = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="`\\\ufeff,;/&+<>[]()*_~@|#!"
)
person_words = st.text(person_letters, min_size=1, max_size=12).filter(
    lambda text: (
        match_key(tidy_name(text))
        and mend(text) == text
        and match_key(text) not in UNASSIGNED
        and len(TWO_NAMES.split(text)) == 1
        and tidy_person(text) == tidy_name(text)
    )
)
pipeline_words = words.filter(lambda text: "(" not in text and ")" not in text)


def named(known, words=words):
    """Return a strategy for names: mostly chosen ones, else any text in any script."""
    return st.one_of(st.sampled_from(known), st.sampled_from(known), words)


@dataclass(frozen=True)
class Draft:
    """What a handbook file says."""

    engineers: list
    pipelines: list  # of (name, audience, primary, secondary)
    intro: str
    policy_intro: str
    rules: list
    meeting: str
    topics: list
    runbooks: list  # of (title, [(section title, body)])
    extras: dict  # of lists of passages by place


@dataclass(frozen=True)
class Style:
    """How a handbook file is typed: what makes no difference."""

    end: str = "\n"
    mark: str = ""
    dashes: str = "---"
    outer: bool = True
    order: tuple = (0, 1, 2)
    head: str = "**"
    bullet: str = "-"
    nested: str = "  "
    number: str = "."
    closing: str = ""
    blanks: int = 1
    trailing: str = ""
    rule: str = "---"
    final: str = "\n"


PLAIN = Style()

styles = st.builds(
    Style,
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
    dashes=st.sampled_from(["---", ":---", "---:", ":-:", "-"]),
    outer=st.booleans(),
    order=st.permutations([0, 1, 2]).map(tuple),
    head=st.sampled_from(["", "**", "__"]),
    bullet=st.sampled_from("-*+"),
    nested=st.sampled_from(["  ", "    ", "\t"]),
    number=st.sampled_from(".)"),
    closing=st.sampled_from(["", " #", " ###", "\t##  "]),
    blanks=st.integers(1, 3),
    trailing=st.sampled_from(["", " ", "\t"]),
    rule=st.sampled_from(["---", "***", "_ _ _", ""]),
    final=st.sampled_from(["", "\n", "\n\n"]),
)


@st.composite
def drafts(draw):
    """Draw what a handbook says; every draft can be read."""
    engineers = draw(
        st.lists(
            named(PEOPLE, person_words), min_size=2, max_size=12, unique_by=lambda name: match_key(tidy_name(name))
        )
    )
    names = draw(
        st.lists(
            named(PIPELINES, pipeline_words), min_size=1, max_size=6, unique_by=lambda name: match_key(tidy_name(name))
        )
    )
    pipelines = []
    for name in names:
        primary, secondary = draw(st.permutations(engineers))[:2]
        pipelines.append((name, draw(st.sampled_from(AUDIENCES)), primary, secondary))
    pipelines = list(
        {match_key(f"{name} {audience}"): (name, audience, *own) for name, audience, *own in pipelines}.values()
    )
    sections = st.lists(st.tuples(st.sampled_from(TITLES), st.sampled_from(BODIES)), max_size=6)
    runbooks = [
        (draw(retyped(name, audience)), draw(sections)) for name, audience, *_ in pipelines if draw(st.booleans())
    ]
    return Draft(
        engineers=engineers[: draw(st.integers(1, len(engineers)))],
        pipelines=pipelines,
        intro=draw(st.sampled_from(["", "Each for a week.", "One\ntwo.\n\nThree."])),
        policy_intro=draw(st.sampled_from(["", "Rules:"])),
        rules=draw(st.lists(st.sampled_from(["Use a calendar.", "`a | b`", "- odd", "規則"]), max_size=4)),
        meeting=draw(
            st.sampled_from(
                ["A **20-30 minute meeting**.", "Meet for 25 minutes!", "会議 20 to 30 min", "22–30-minute call"]
            )
        ),
        topics=draw(st.lists(st.sampled_from(TOPICS), min_size=1, unique=True)),
        runbooks=runbooks,
        extras={
            place: draw(passages)
            for place, passages in {
                "start": st.one_of(lists_of(PASSAGES, 1), lists_of(WHOLE)),
                "ownership": lists_of(PASSAGES, 1),
                "ownership table": st.one_of(lists_of(PASSAGES, 1), lists_of(HEADED)),
                "ownership end": lists_of(WHOLE),
                "schedule": st.one_of(lists_of(PASSAGES, 1), lists_of(HEADED)),
                "rotation": st.one_of(lists_of(PASSAGES, 1), lists_of(HEADED)),
                "hand-off meeting": lists_of(["- Bring coffee.", "- Be\n  on time."]),
                "schedule end": lists_of(WHOLE),
                "runbooks": lists_of(HEADED),
                "runbooks end": lists_of(WHOLE),
            }.items()
        },
    )


def lists_of(texts, most=2):
    """Return a strategy for lists of these texts, often empty."""
    return st.one_of(st.just([]), st.lists(st.sampled_from(texts), max_size=most))


def retyped(name, audience):
    """Return a strategy for a runbook's title that means the pipeline."""
    full = f"{name} ({audience})" if audience else name
    # Letters that come back from upper case as others are left as they are.
    ways = [full, full.upper(), full.lower(), full.replace(" ", "  ")]
    return st.sampled_from([way for way in ways if match_key(tidy_name(way)) == match_key(tidy_name(full))])


def typed(draft, style=PLAIN):
    """Return the file of a draft, in a style, as text with its line ends."""
    blocks = [*draft.extras["start"], *_ownership(draft, style), *_schedule(draft, style), *_runbooks(draft, style)]
    text = ("\n" * (style.blanks + 1)).join(block for block in blocks if block)
    return style.mark + (text + style.final).replace("\n", style.end)


def _ownership(draft, style):
    heads = [f"{style.head}{title}{style.head}" for title in ("Pipeline", "Primary Owner", "Secondary Owner")]
    cells = [[cell if cell.startswith("`") else cell.replace("|", "\\|") for cell in row] for row in draft.pipelines]
    rows = [[f"{name} ({audience})" if audience else name, *owners] for name, audience, *owners in cells]
    lines = [_row(row, style) for row in [heads, [style.dashes] * 3, *rows]]
    yield _heading(1, "Ownership of Pipelines", style)
    yield from draft.extras["ownership"]
    yield "\n".join(lines)
    yield from draft.extras["ownership table"]
    yield from draft.extras["ownership end"]


def _schedule(draft, style):
    yield style.rule
    yield _heading(1, "On-Call Schedule", style)
    yield from draft.extras["schedule"]
    yield _heading(2, "Weekly Rotation", style)
    yield draft.intro
    weeks = enumerate(draft.engineers, start=1)
    yield "\n".join(f"{style.bullet} **Week {number}**: {name}{style.trailing}" for number, name in weeks)
    yield from draft.extras["rotation"]
    yield _heading(2, "Holiday Policy", style)
    yield draft.policy_intro
    yield "\n".join(f"{n}{style.number} {rule}{style.trailing}" for n, rule in enumerate(draft.rules, start=1))
    yield _heading(2, "Daily Onboarding Hand-Off", style)
    yield f"{style.bullet} {draft.meeting}{style.trailing}"
    yield from draft.extras["hand-off meeting"]
    topics = [f"{style.nested}{style.bullet} {topic}{style.trailing}" for topic in draft.topics]
    yield "\n".join([f"{style.bullet} Topics to discuss:", *topics])
    yield from draft.extras["schedule end"]


def _runbooks(draft, style):
    yield style.rule
    yield _heading(1, "Runbooks for Pipelines", style)
    yield from draft.extras["runbooks"]
    for title, sections in draft.runbooks:
        yield _heading(2, f"Runbook: {title}", style)
        for name, body in sections:
            yield _heading(3, name, style)
            yield body
        yield style.rule
    yield from draft.extras["runbooks end"]


def _heading(level, title, style):
    return f"{'#' * level} {title}{style.closing}"


def _row(cells, style):
    inner = " | ".join(cells[place] for place in style.order)
    return f"| {inner} |{style.trailing}" if style.outer else inner
