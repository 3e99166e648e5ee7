"""The outcome of an import, and its errors."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from handbook.queries.questions import PersonQuestion, RotationQuestion
from handbook.queries.rosters import RosterEffect
from incidents.queries.evidence import BlockState
from runbooks.domain.handbook_model import HandbookError, HandbookErrors


class ImportErrors(HandbookErrors):
    """All errors of a handbook, and the questions that an answer to which would settle some of them."""

    def __init__(
        self, errors: list[HandbookError], *, people: list[PersonQuestion], rotations: list[RotationQuestion]
    ) -> None:
        super().__init__(errors)
        self.people = people
        self.rotations = rotations


@dataclass(frozen=True, slots=True)
class ImportedQuery:
    """A query of an evidence block that waits for approval, and its runbook."""

    runbook: str
    state: BlockState


@dataclass(slots=True)
class Report:
    """The outcome of an import: what was created, changed and unchanged, and what the file does not name.

    `people` are the questions about new names, `rosters` the effect of each roster that was set, and `queries` the evidence
    blocks of the file's runbooks whose SQL no admin has approved.
    """

    created: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    people: list[PersonQuestion] = field(default_factory=list)
    rotations: list[RotationQuestion] = field(default_factory=list)
    rosters: list[RosterEffect] = field(default_factory=list)
    queries: list[ImportedQuery] = field(default_factory=list)

    def note(self, subject: str, *, created: bool = False, changed: Iterable[str] = ()) -> None:
        """Record the outcome for one object. `changed` names the changed fields."""
        fields = [name.replace("_", " ") for name in changed]
        if created:
            self.created.append(subject)
        elif fields:
            self.changed.append(f"{subject}: {', '.join(fields)}")
        else:
            self.unchanged.append(subject)

    @property
    def is_unchanged(self) -> bool:
        """True if nothing is created and nothing changes."""
        return not (self.created or self.changed)

    def lines(self, *, preview: bool = False) -> list[str]:
        """Return the report as lines, in the future tense for a preview. If nothing changed, a single line says so."""
        if self.is_unchanged:
            nothing = "nothing would change" if preview else "nothing changed"
            return [f"{nothing} (unchanged: {len(self.unchanged)})"]
        create, change = ("will create", "will change") if preview else ("created", "changed")
        return [
            *(f"{create} {what}" for what in self.created),
            *(f"{change} {what}" for what in self.changed),
            *(f"not in the file, stays: {what}" for what in self.absent),
            f"unchanged: {len(self.unchanged)}",
        ]
