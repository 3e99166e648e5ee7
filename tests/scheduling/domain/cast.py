"""People for the tests of the domain."""

from functools import cache

from people.domain.person import Person

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@cache
def engineer(number):
    """Return Engineer A for 1, Engineer B for 2 and so on; after Z, "Engineer 27"."""
    last = LETTERS[number - 1] if 1 <= number <= len(LETTERS) else str(number)
    return Person(number, f"engineer-{last.lower()}", f"Engineer {last}")


def engineers(*numbers):
    return tuple(engineer(number) for number in numbers)


A, B, C, D = engineers(1, 2, 3, 4)
