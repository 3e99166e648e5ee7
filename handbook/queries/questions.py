"""What an import has to ask: who a new name means, and which rotation a new title means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from people.domain.names import match_key, resembles
from people.models import User
from people.queries import all_users, people_by_handbook_name
from runbooks.domain.handbook_model import Handbook
from scheduling.models import Rotation

NEW = "new"


@dataclass(frozen=True, slots=True)
class Option:
    """A possible answer: its value and its label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class PersonQuestion:
    """A name that is new in the handbook and resembles others.

    `display_name_of` is the user whose display name it is, if any: then it cannot become a new person's.
    """

    name: str
    line: int
    options: tuple[Option, ...]
    display_name_of: User | None = None

    @property
    def key(self) -> str:
        """The match key of the name, by which answers are given."""
        return match_key(self.name)


@dataclass(frozen=True, slots=True)
class RotationQuestion:
    """A rotation of the file that the site does not have under this name, and those of the site that it may be."""

    title: str
    line: int
    options: tuple[Option, ...]

    @property
    def key(self) -> str:
        """The match key of the title, by which answers are given."""
        return match_key(self.title)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to the questions, by match key: a user name or another name, a rotation's slug, or `NEW`.

    The rotation answer of the key "" applies to every rotation without its own.
    """

    people: Mapping[str, str] = field(default_factory=dict)
    rotations: Mapping[str, str] = field(default_factory=dict)

    def rotation(self, question: RotationQuestion) -> str:
        """Return the answer to the question about a rotation, or ""."""
        return self.rotations.get(question.key, "") or self.rotations.get("", "")


def named_lines(handbook: Handbook) -> Iterator[tuple[str, int]]:
    """Yield each name of a person in the file with its line."""
    for row in handbook.pipelines:
        yield row.primary, row.line
        yield row.secondary, row.line
    for rotation in handbook.rotations:
        for turn in rotation.turns:
            yield turn.engineer, turn.line


def person_questions(handbook: Handbook) -> list[PersonQuestion]:
    """Return a question for each new name in the handbook that resembles a person's or another new name's."""
    known, users = people_by_handbook_name(handbook.engineers), list(all_users())
    questions: list[PersonQuestion] = []
    new: list[str] = []
    for name, line in sorted(dict(reversed(list(named_lines(handbook)))).items(), key=lambda item: item[1]):
        key = match_key(name)
        if key in known:
            continue
        alike = [user for user in users if _may_mean(name, user)]
        options = [Option(user.username, _person_label(user)) for user in alike]
        options += [Option(other, f"{other} (also new)") for other in new if resembles(name, other)]
        new.append(name)
        if options:
            same = next((user for user in alike if user.display_key == key), None)
            questions.append(PersonQuestion(name, line, tuple(options), display_name_of=same))
    return questions


def _may_mean(name: str, user: User) -> bool:
    key = match_key(name)
    same = key in (user.display_key, match_key(user.username))
    return same or resembles(name, user.handbook_name) or resembles(name, user.display_name)


def _person_label(user: User) -> str:
    renamed = f", in the handbook {user.handbook_name}" if user.handbook_key != user.display_key else ""
    return f"{user} ({user.username}{renamed}{'' if user.is_active else ', deactivated'})"


def rotation_questions(handbook: Handbook) -> list[RotationQuestion]:
    """Return a question for each rotation that the site lacks under its name, while it has others that it may be."""
    active = list(Rotation.objects.active())
    titles = {match_key(part.title) for part in handbook.rotations}
    options = tuple(Option(row.slug, row.name) for row in active if match_key(row.name) not in titles)
    known = {match_key(row.name) for row in active}
    return [
        RotationQuestion(part.title, part.line, options)
        for part in handbook.rotations
        if options and match_key(part.title) not in known
    ]
