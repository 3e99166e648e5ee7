"""What a handbook file says, as values: its pipelines, rotation, holiday policy, hand-off, runbooks and what else it holds."""

from dataclasses import dataclass, field

from people.domain.names import match_key

OWNERSHIP_TITLE = "Ownership of Pipelines"
SCHEDULE_TITLE = "On-Call Schedule"
RUNBOOKS_TITLE = "Runbooks for Pipelines"

# The tables keep names, titles and texts up to these many characters.
LONGEST_PERSON = 120
LONGEST_PIPELINE = 200
LONGEST_AUDIENCE = 120
LONGEST_TITLE = 120
LONGEST_SECTION_TITLE = 400
LONGEST_TOPIC = 400
LONGEST_KEY = 400
LONGEST_MEETING = 240  # minutes
LARGEST_RUNBOOK = 64 * 1024  # bytes of UTF-8, above which a runbook is not rendered (reliability.md, promise 21)
LARGEST_HANDBOOK = 2 * 1024 * 1024  # bytes

# Where a passage stands: below the heading of a known part, after a known piece, or after a whole part.
START = "start"
OWNERSHIP = "ownership"
OWNERSHIP_TABLE = "ownership table"
OWNERSHIP_END = "ownership end"
SCHEDULE = "schedule"
ROTATION = "rotation"
HOLIDAY_POLICY = "holiday policy"
HANDOFF = "hand-off"
HANDOFF_MEETING = "hand-off meeting"
HANDOFF_TOPICS = "hand-off topics"
SCHEDULE_END = "schedule end"
RUNBOOKS = "runbooks"
RUNBOOKS_END = "runbooks end"


def after_runbook(title: str) -> str:
    """Return the place after the runbook of this title."""
    return f"runbook {match_key(title)}"


@dataclass(frozen=True, slots=True)
class HandbookError:
    """One thing wrong in a handbook file; `str` of it is the sentence that product.md §1 prescribes."""

    line: int
    wrong: str
    expected: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.wrong}, expected {self.expected}"


class HandbookErrors(Exception):  # noqa: N818  # it carries several
    """A file that cannot be read as a handbook, with everything wrong in it, by line."""

    def __init__(self, errors: list[HandbookError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(map(str, self.errors)))


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A row of the ownership table."""

    name: str
    audience: str
    primary: str
    secondary: str
    line: int = field(default=0, compare=False)

    @property
    def full_name(self) -> str:
        """The name with the audience in brackets."""
        return full_name(self.name, audience=self.audience)


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """An engineer's week of the rotation's cycle."""

    engineer: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RotationPart:
    """The rotation: what the handbook says of it, in Markdown, and whose week 1, 2, … n is."""

    title: str
    intro: str
    turns: tuple[RosterEntry, ...]
    line: int = field(default=0, compare=False)

    @property
    def engineers(self) -> tuple[str, ...]:
        """The engineers in the order of their weeks."""
        return tuple(turn.engineer for turn in self.turns)


@dataclass(frozen=True, slots=True)
class HolidayPolicyPart:
    """The holiday policy: its rules, each a line of Markdown, after an introduction that may be empty."""

    title: str
    intro: str
    rules: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class HandoffPart:
    """The hand-off meeting: its sentence in Markdown, its shortest and longest length in minutes, and its topics."""

    title: str
    meeting: str
    minutes_min: int
    minutes_max: int
    topics_label: str
    topics: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a runbook; only a text before the first heading has no title."""

    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class RunbookPart:
    """A runbook, named as its own title spells the pipeline."""

    name: str
    audience: str
    sections: tuple[Section, ...]
    line: int = field(default=0, compare=False)

    @property
    def full_name(self) -> str:
        """The title: the name with the audience in brackets."""
        return full_name(self.name, audience=self.audience)

    @property
    def markdown(self) -> str:
        """The whole text, with a heading of level 3 over each section."""
        return markdown_of(self.sections)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text of the file that is no known part: kept word for word, with the place after which it stands."""

    place: str
    markdown: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Handbook:
    """All that a handbook file says (product.md §1)."""

    pipelines: tuple[PipelineRow, ...]
    rotation: RotationPart
    holiday_policy: HolidayPolicyPart
    handoff: HandoffPart
    runbooks: tuple[RunbookPart, ...] = ()
    extras: tuple[Passage, ...] = ()

    @property
    def engineers(self) -> tuple[str, ...]:
        """Every engineer once: the roster in the order of its weeks, then owners who are not on it."""
        owners = (name for row in self.pipelines for name in (row.primary, row.secondary))
        return tuple(dict.fromkeys([*self.rotation.engineers, *owners]))


def full_name(name: str, *, audience: str) -> str:
    """Return a pipeline's name with the audience, if any, in brackets."""
    return f"{name} ({audience})" if audience else name


def markdown_of(sections: tuple[Section, ...]) -> str:
    """Return a runbook's whole text, without a line end after the last line."""
    return "\n\n".join(_section_text(section) for section in sections)


def _section_text(section: Section) -> str:
    heading = f"### {section.title}" if section.title else ""
    return "\n".join(part for part in (heading, section.markdown) if part)
