"""Import the people of a handbook."""

from collections.abc import Mapping

from handbook.queries.questions import NEW, Answers, PersonQuestion, named_lines
from handbook.services.report import Report
from people.domain.names import match_key
from people.models import User
from people.queries import people_by_handbook_name, user_by_username
from people.services.accounts import add_handbook_alias, engineers_named
from runbooks.domain.handbook_model import Handbook, HandbookError


def people_errors(handbook: Handbook, questions: list[PersonQuestion], *, answers: Answers) -> list[HandbookError]:
    """Return the errors about people: deactivated, unknown or unanswered, or one person where two are needed."""
    known = people_by_handbook_name(handbook.engineers)
    names = {match_key(name): name for name, _ in named_lines(handbook)}
    # Another name can be the answer if it means a person by itself.
    answered = {key for key, answer in answers.people.items() if answer not in ("", NEW)}
    errors = []
    meant: dict[str, object] = {key: known[key].pk if key in known else key for key in names}
    for question in questions:
        answer = answers.people.get(question.key, "")
        user, other = user_by_username(answer), match_key(answer)
        if question.display_name_of and answer in ("", NEW):
            name, owner = question.display_name_of.handbook_name, question.display_name_of.username
            wrong = f"“{question.name}” is the display name of {owner}, who is “{name}” in the handbook"
            errors.append(HandbookError(question.line, wrong, f"“{name}”, or a choice who “{question.name}” is"))
        elif user is not None:
            meant[question.key], known[question.key] = user.pk, user
        elif answer not in ("", NEW) and (other not in {*names, *known} or other in answered):
            errors.append(
                HandbookError(question.line, f"“{answer}” is nobody here", "a user name, or a name in the file")
            )
        elif answer not in ("", NEW):
            meant[question.key] = known[other].pk if other in known else other
    errors += [
        HandbookError(line, f"“{name}” is deactivated", "an active engineer: reactivate them, or name someone else")
        for name, line in named_lines(handbook)
        if match_key(name) in known and not known[match_key(name)].is_active
    ]
    errors += _repeated_people(handbook, meant)
    return errors


def _repeated_people(handbook: Handbook, meant: Mapping[str, object]) -> list[HandbookError]:
    """Return the errors of different names of one person where two people are needed."""
    errors = [
        HandbookError(row.line, f"“{row.primary}” and “{row.secondary}” are the same person", "two people")
        for row in handbook.pipelines
        if meant[match_key(row.primary)] == meant[match_key(row.secondary)]
    ]
    for rotation in handbook.rotations:
        first: dict[object, str] = {}
        for turn in rotation.turns:
            other = first.setdefault(meant[match_key(turn.engineer)], turn.engineer)
            if other != turn.engineer:
                wrong = f"“{turn.engineer}” and “{other}” are the same person"
                errors.append(HandbookError(turn.line, wrong, "each engineer once"))
    return errors


def import_engineers(handbook: Handbook, report: Report, *, answers: Answers, time_zone: str) -> dict[str, User]:
    """Return engineers by name match key: those with the name in the handbook, those whom answers name, and new ones."""
    same = {
        question.key: answers.people[question.key]
        for question in report.people
        if answers.people.get(question.key, NEW) not in ("", NEW)
    }
    names = [name for name in handbook.engineers if match_key(name) not in same]
    engineers, created = engineers_named(names, time_zone=time_zone)
    known = people_by_handbook_name()
    for question in report.people:
        if question.key in same:
            answer = same[question.key]
            user = user_by_username(answer) or known[match_key(answer)]
            add_handbook_alias(user, name=question.name)
            engineers[question.key] = user
            report.note(f"engineer {user} ({user.username})", changed=[f"also “{question.name}” in the handbook"])
    for user in dict.fromkeys(engineers.values()):
        report.note(f"engineer {user} ({user.username})", created=user in created)
    return engineers
