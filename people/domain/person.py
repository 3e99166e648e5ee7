"""A person as the pure parts of the apps know them."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Person:
    """A user's primary key and what a page or a message needs to name them; `colour` is that of their initials.

    Two are equal if they have the same `id`, whatever the name when they were read.
    """

    id: int
    username: str = field(compare=False)
    name: str = field(compare=False)
    colour: int = field(compare=False, default=1)

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return self.id
