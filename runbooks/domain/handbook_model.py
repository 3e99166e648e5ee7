"""The contents of a handbook file as values: pipelines, rotation, holiday policy, hand-off, runbooks and passages."""

import datetime as dt
from dataclasses import dataclass, field

from people.domain.names import match_key

OWNERSHIP_TITLE = "Ownership of Pipelines"
SCHEDULE_TITLE = "On-Call Schedule"
RUNBOOKS_TITLE = "Runbooks for Pipelines"
ROTATION_TITLE = "Weekly Rotation"
POLICY_TITLE = "Holiday Policy"
HANDOFF_TITLE = "Daily Onboarding Hand-Off"

# Maximum lengths of the database columns, in characters.
MAX_PERSON_LENGTH = 120
MAX_PIPELINE_LENGTH = 200
MAX_AUDIENCE_LENGTH = 120
MAX_TITLE_LENGTH = 120
MAX_INTRODUCTION_LENGTH = 10_000
MAX_SECTION_TITLE_LENGTH = 400
MAX_TOPIC_LENGTH = 400
MAX_MATCH_KEY_LENGTH = 400
MIN_MEETING_MINUTES, MAX_MEETING_MINUTES = 20, 30
MAX_RUNBOOK_BYTES = 64 * 1024  # bytes of UTF-8; larger runbooks are not rendered (docs/reliability.md)
MAX_HANDBOOK_BYTES = 2 * 1024 * 1024

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
# Not texts between the parts, but their own titles, where they are not the usual ones.
PART_TITLES = {
    OWNERSHIP_TITLE: "ownership title",
    SCHEDULE_TITLE: "schedule title",
    RUNBOOKS_TITLE: "runbooks title",
}


def place_in_group(place: str, group: int) -> str:
    """Return the position in the sections of a rotation, counted from 0; the first has the plain positions."""
    return f"{place} {group + 1}" if group else place


def place_after_runbook(title: str) -> str:
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
    """A row of the ownership table.

    `rotation` is the title of the pipeline's rotation, "" for none, None if the table has no such column. `extra` holds the
    cells of the extra columns.
    """

    name: str
    audience: str
    primary: str
    secondary: str
    rotation: str | None = None
    extra: tuple[str, ...] = ()
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
class FirstDay:
    """The first date of a rotation's table. A date without a year has `year` None."""

    year: int | None
    month: int
    day: int

    def nearest_date(self, today: dt.date) -> dt.date | None:
        """Return the date; without a year, the one nearest to `today`. None if there is no such date."""
        years = [self.year] if self.year else [today.year - 1, today.year, today.year + 1]
        dates = [date for year in years if (date := calendar_date(year, self.month, self.day))]
        return min(dates, key=lambda date: abs(date - today), default=None)


def calendar_date(year: int, month: int, day: int) -> dt.date | None:
    """Return the date, or None if the calendar has no such date."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class RotationPart:
    """A rotation: its Markdown description, the engineers of weeks 1 to n, and its holiday policy and hand-off, if any.

    Later rotations without a holiday policy or hand-off share that of the first. `first_day` is the start of week 1 if the
    file has a table with dates.
    """

    title: str
    intro: str
    turns: tuple[RosterEntry, ...]
    holiday_policy: HolidayPolicyPart | None = None
    handoff: HandoffPart | None = None
    first_day: FirstDay | None = field(default=None, compare=False)
    line: int = field(default=0, compare=False)

    @property
    def engineers(self) -> tuple[str, ...]:
        """The engineers in week order."""
        return tuple(turn.engineer for turn in self.turns)


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
class ExtraColumn:
    """A column of the ownership table that only the handbook uses, with its place in the table, counted from 0."""

    place: int
    title: str


@dataclass(frozen=True, slots=True)
class Handbook:
    """The complete contents of a handbook file (docs/rules.md, Handbook file)."""

    pipelines: tuple[PipelineRow, ...]
    rotations: tuple[RotationPart, ...] = ()
    runbooks: tuple[RunbookPart, ...] = ()
    extras: tuple[Passage, ...] = ()
    columns: tuple[ExtraColumn, ...] = ()

    @property
    def engineers(self) -> tuple[str, ...]:
        """All engineers without duplicates: the rosters in week order, then owners who are not on them."""
        turns = (name for rotation in self.rotations for name in rotation.engineers)
        owners = (name for row in self.pipelines for name in (row.primary, row.secondary))
        return tuple(dict.fromkeys([*turns, *owners]))


def full_name(name: str, *, audience: str) -> str:
    """Return a pipeline's name, followed by the audience in brackets if there is one."""
    return f"{name} ({audience})" if audience else name


def join_sections(sections: tuple[Section, ...]) -> str:
    """Return a runbook's whole text without a trailing newline."""
    return "\n\n".join(_section_text(section) for section in sections)


def _section_text(section: Section) -> str:
    heading = f"### {section.title}" if section.title else ""
    return "\n".join(part for part in (heading, section.markdown) if part)
