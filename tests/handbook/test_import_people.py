"""Whom the names of a handbook mean: renamed people, misspelled names, other spellings."""

import datetime as dt

import pytest
from django.core.management import CommandError, call_command

from common.exceptions import DomainError
from handbook.queries.export import export_handbook
from handbook.queries.questions import Answers
from handbook.services import import_handbook, preview_handbook
from people.models import HandbookAlias, User
from people.services.accounts import change_profile
from pipelines.models import Pipeline
from runbooks.domain.handbook_model import HandbookErrors
from scheduling.models import RotationWeek
from tests.snapshots import build_once

AT = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC)
TYPO = ("| Engineer A         | Engineer B           |", "| Enginer A          | Engineer B           |")


@pytest.fixture
def text(schedule):
    return schedule.read_text()


@pytest.fixture
def imported(db, text):
    build_once(("handbook without runbooks", AT), lambda: import_handbook(text.encode(), at=AT))


def again(text, **people):
    answers = Answers(people={name.replace("_", " "): answer for name, answer in people.items()})
    return import_handbook(text.encode(), at=AT, answers=answers)


def errors(text, **people):
    with pytest.raises(HandbookErrors) as caught:
        again(text, **people)
    return [str(error) for error in caught.value.errors]


def owners_and_weeks():
    owners = list(Pipeline.objects.order_by("pk").values_list("primary_owner", "secondary_owner"))
    return owners, list(RotationWeek.objects.order_by("pk").values_list("engineer", "planned_engineer"))


def test_a_renamed_person_stays_themselves_in_the_same_handbook(imported, text, a):
    before = owners_and_weeks()
    change_profile(a, fields={"display_name": "Alice"})
    assert "nothing changed" in again(text).lines()[0]
    assert (owners_and_weeks(), User.objects.count()) == (before, 4)
    assert export_handbook() == text


def test_a_display_name_in_the_file_is_an_error_until_the_person_is_chosen(imported, text, a):
    change_profile(a, fields={"display_name": "Alice"})
    changed = text.replace(*[TYPO[0], TYPO[1].replace("Enginer A ", "Alice")], 1)
    [error] = errors(changed)
    assert error == (
        "line 5: “Alice” is the display name of engineer-a, who is “Engineer A” in the handbook, expected “Engineer A”, "
        "or a choice who “Alice” is"
    )
    assert errors(changed, alice="new") == errors(changed)
    report = again(changed, alice="engineer-a")
    assert report.changed == ["engineer Alice (engineer-a): also “Alice” in the handbook"]
    assert "nothing changed" in again(changed).lines()[0]
    assert export_handbook() == text


def test_the_preview_asks_about_a_misspelled_name_and_the_answer_is_remembered(imported, text, a):
    changed = text.replace(*TYPO, 1)
    [question] = preview_handbook(changed.encode(), at=AT).people
    assert (question.name, question.line) == ("Enginer A", 5)
    assert [(option.value, option.label) for option in question.options] == [("engineer-a", "Engineer A (engineer-a)")]
    again(changed, enginer_a="engineer-a")
    assert User.objects.count() == 4
    assert HandbookAlias.objects.get().user == a
    assert "nothing changed" in again(changed).lines()[0]
    assert export_handbook() == text


def test_a_misspelled_name_can_be_a_new_person(imported, text):
    again(text.replace(*TYPO, 1), enginer_a="new")
    assert User.objects.filter(handbook_name="Enginer A").count() == 1


def test_two_new_names_in_one_file_may_be_one_person(db, text):
    changed = text.replace(*TYPO, 1)
    [question] = preview_handbook(changed.encode(), at=AT).people
    assert (question.name, question.line) == ("Engineer A", 8)
    assert [option.label for option in question.options] == ["Enginer A (also new)"]
    again(changed, engineer_a="Enginer A")
    assert User.objects.count() == 4
    assert "nothing changed" in again(changed).lines()[0]


@pytest.mark.parametrize(
    ("answer", "line", "problem"),
    [
        ("engineer-b", 5, "line 5: “Enginer A” and “Engineer B” are the same person, expected two people"),
        ("engineer-z", 5, "line 5: “engineer-z” is nobody here, expected a user name, or a name in the file"),
        ("Enginer A", 5, "line 5: “Enginer A” is nobody here, expected a user name, or a name in the file"),
    ],
)
def test_a_wrong_answer_is_an_error_with_its_line(imported, text, answer, line, problem):
    assert errors(text.replace(*TYPO, 1), enginer_a=answer) == [problem]
    assert not HandbookAlias.objects.exists()


def test_a_roster_with_one_person_under_two_names_is_an_error(imported, text):
    changed = text.replace("**Week 2**: Engineer B", "**Week 2**: Enginer A")
    assert errors(changed, enginer_a="engineer-a") == [
        "line 19: “Enginer A” and “Engineer A” are the same person, expected each engineer once"
    ]


def test_every_error_is_reported_at_once(imported, text, c):
    User.objects.filter(pk=c.pk).update(is_active=False)
    change_profile(User.objects.get(username="engineer-d"), fields={"display_name": "Dora"})
    changed = text.replace("20-30", "0").replace("## Weekly Rotation", "## Team Rotation")
    changed = changed.replace("| Engineer D         | Engineer A           |", "| Dora | Engineer A |")
    lines = [error.partition(":")[0] for error in errors(changed)]
    assert lines == ["line 6", "line 7", "line 8", "line 15", "line 20", "line 29"]


def test_the_command_warns_of_a_misspelled_name_and_takes_the_person_as_an_option(imported, text, tmp_path, capsys):
    path = tmp_path / "handbook.md"
    path.write_text(text.replace(*TYPO, 1))
    call_command("import_handbook", str(path), dry_run=True)
    shown = capsys.readouterr()
    assert shown.err == "warning: line 5: Enginer A resembles Engineer A (engineer-a)\n"
    assert "will create engineer Enginer A (enginer-a)" in shown.out.splitlines()
    assert User.objects.count() == 4
    call_command("import_handbook", str(path), person=["Enginer A=engineer-a"])
    assert User.objects.count() == 4
    with pytest.raises(CommandError, match="--person needs a name"):
        call_command("import_handbook", str(path), person=["engineer-a"])


def test_the_command_says_how_to_answer(imported, text, a, tmp_path):
    change_profile(a, fields={"display_name": "Alice"})
    path = tmp_path / "handbook.md"
    path.write_text(text.replace(TYPO[0], TYPO[1].replace("Enginer A ", "Alice"), 1))
    with pytest.raises(CommandError, match="Say who it is with --person 'Alice=engineer-a'"):
        call_command("import_handbook", str(path))


def test_a_mention_means_the_user_of_that_name(imported, text, a):
    User.objects.filter(pk=a.pk).update(username="anna7")
    changed = text.replace("| Engineer A         | Engineer B           |", "| @anna7 | Engineer B |", 1)
    assert "nothing changed" in again(changed).lines()[0]
    assert User.objects.count() == 4


def test_what_a_table_refuses_is_an_error_and_no_crash(db, text):
    long = "ﷺ" * 60
    with pytest.raises(DomainError, match="The name is too long"):
        again(text.replace("Engineer C", long))
    assert not User.objects.exists()
