"""Choices and effects of a handbook import, shaped for its page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from handbook.queries.questions import NEW, Answers, Option, PersonQuestion, RotationQuestion
from handbook.queries.rosters import RosterEffect
from scheduling.presenters import ShiftBalance, shift_balances

PERSON, ROTATION = "person:", "rotation:"


@dataclass(frozen=True, slots=True)
class Choice:
    """A question as a select. `answer` is the chosen value, and `is_open` is True if the import needs one."""

    name: str
    label: str
    help: str
    options: tuple[Option, ...]
    answer: str
    is_open: bool


def posted_answers(data: Mapping[str, str]) -> Answers:
    """Return the answers in a posted form."""
    people = {name.removeprefix(PERSON): data[name] for name in data if name.startswith(PERSON)}
    rotations = {name.removeprefix(ROTATION): data[name] for name in data if name.startswith(ROTATION)}
    return Answers(people=people, rotations=rotations)


def choices(
    people: Iterable[PersonQuestion], rotations: Iterable[RotationQuestion], *, answers: Answers
) -> list[Choice]:
    """Return the questions of an import as selects: rotations first, because an import needs them."""
    return [
        *(_rotation_choice(question, answers=answers) for question in rotations),
        *(_person_choice(question, answers=answers) for question in people),
    ]


def _rotation_choice(question: RotationQuestion, *, answers: Answers) -> Choice:
    answer = answers.rotation(question)
    return Choice(
        name=ROTATION + question.key,
        label=f"Rotation “{question.title}”",
        help=f"Line {question.line}. The site has no rotation of this name.",
        options=(
            Option("", "Choose"),
            Option(NEW, "New rotation"),
            *(Option(option.value, f"{option.label}, renamed") for option in question.options),
        ),
        answer=answer,
        is_open=not answer,
    )


def _person_choice(question: PersonQuestion, *, answers: Answers) -> Choice:
    answer = answers.people.get(question.key, "")
    same = tuple(Option(option.value, f"Same as {option.label}") for option in question.options)
    if question.display_name_of:
        first, why = (
            Option("", "Choose"),
            "This is someone’s display name, and the handbook has another name for them.",
        )
    else:
        first, why = Option(NEW, "New person"), "A new name that resembles another."
    return Choice(
        name=PERSON + question.key,
        label=f"Person “{question.name}”",
        help=f"Line {question.line}. {why}",
        options=(first, *same),
        answer=answer or first.value,
        is_open=bool(question.display_name_of) and not answer,
    )


@dataclass(frozen=True, slots=True)
class RosterCard:
    """The effect of a roster, with each engineer's balance of shifts."""

    effect: RosterEffect
    balances: list[ShiftBalance]


def roster_cards(effects: Iterable[RosterEffect]) -> list[RosterCard]:
    """Return the effects of an import's rosters."""
    return [RosterCard(effect, shift_balances(effect.change) if effect.change else []) for effect in effects]
