"""The contents of a handbook file as values: pipelines, rotation, holiday policy, hand-off, runbooks and passages."""

from dataclasses import dataclass, field

from people.domain.names import match_key

OWNERSHIP_TITLE = "Ownership of Pipelines"
SCHEDULE_TITLE = "On-Call Schedule"
RUNBOOKS_TITLE = "Runbooks for Pipelines"

# Maximum lengths of the database columns, in characters.
LONGEST_PERSON = 120
LONGEST_PIPELINE = 200
LONGEST_AUDIENCE = 120
LONGEST_TITLE = 120
LONGEST_SECTION_TITLE = 400
LONGEST_TOPIC = 400
LONGEST_KEY = 400
SHORTEST_MEETING, LONGEST_MEETING = 20, 30  # minutes
LARGEST_RUNBOOK = 64 * 1024  # bytes of UTF-8; larger runbooks are not rendered (docs/reliability.md)
LARGEST_HANDBOOK = 2 * 1024 * 1024  # bytes

# Positions of a passage: below the heading of a known part, after a known section, or after a whole part.
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
    """Return the position after the runbook with this title."""
    return f"runbook {match_key(title)}"


@dataclass(frozen=True, slots=True)
class HandbookError:
    """An error in a handbook file. `str()` returns its message with the line and what was expected."""

    line: int
    wrong: str
    expected: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.wrong}, expected {self.expected}"


class HandbookErrors(Exception):  # noqa: N818  # it carries several errors
    """All errors of a handbook file that cannot be parsed, ordered by line."""

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
        """The name, followed by the audience in brackets if there is one."""
        return full_name(self.name, audience=self.audience)


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """An engineer's week in the rotation cycle."""

    engineer: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class RotationPart:
    """The rotation: its Markdown description and the engineers of weeks 1 to n."""

    title: str
    intro: str
    turns: tuple[RosterEntry, ...]
    line: int = field(default=0, compare=False)

    @property
    def engineers(self) -> tuple[str, ...]:
        """The engineers in week order."""
        return tuple(turn.engineer for turn in self.turns)


@dataclass(frozen=True, slots=True)
class HolidayPolicyPart:
    """The holiday policy: an introduction, which may be empty, and rules as lines of Markdown."""

    title: str
    intro: str
    rules: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class HandoffPart:
    """The hand-off meeting: its description in Markdown, minimum and maximum length in minutes, and topics."""

    title: str
    meeting: str
    minutes_min: int
    minutes_max: int
    topics_label: str
    topics: tuple[str, ...]
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of a runbook. Only the text before the first heading has no title."""

    title: str
    markdown: str


@dataclass(frozen=True, slots=True)
class RunbookPart:
    """A runbook, with the pipeline name as spelled in its own title."""

    name: str
    audience: str
    sections: tuple[Section, ...]
    line: int = field(default=0, compare=False)

    @property
    def full_name(self) -> str:
        """The title: the name, followed by the audience in brackets if there is one."""
        return full_name(self.name, audience=self.audience)

    @property
    def markdown(self) -> str:
        """The whole text, with a level-3 heading for each section."""
        return join_sections(self.sections)


@dataclass(frozen=True, slots=True)
class Passage:
    """A text outside the known parts, stored verbatim with its position."""

    place: str
    markdown: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Handbook:
    """The complete contents of a handbook file (docs/rules.md, Handbook file)."""

    pipelines: tuple[PipelineRow, ...]
    rotation: RotationPart
    holiday_policy: HolidayPolicyPart
    handoff: HandoffPart
    runbooks: tuple[RunbookPart, ...] = ()
    extras: tuple[Passage, ...] = ()

    @property
    def engineers(self) -> tuple[str, ...]:
        """All engineers without duplicates: the roster in week order, then owners who are not on it."""
        owners = (name for row in self.pipelines for name in (row.primary, row.secondary))
        return tuple(dict.fromkeys([*self.rotation.engineers, *owners]))


def full_name(name: str, *, audience: str) -> str:
    """Return a pipeline's name, followed by the audience in brackets if there is one."""
    return f"{name} ({audience})" if audience else name


def join_sections(sections: tuple[Section, ...]) -> str:
    """Return a runbook's whole text without a trailing newline."""
    return "\n\n".join(_section_text(section) for section in sections)


def _section_text(section: Section) -> str:
    heading = f"### {section.title}" if section.title else ""
    return "\n".join(part for part in (heading, section.markdown) if part)
