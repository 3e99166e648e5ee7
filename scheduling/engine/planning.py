"""The fewest moves after which nobody is on call while away, by constraint programming (product.md §5, OR-Tools CP-SAT)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scheduling.engine.turns import Move, Week
from scheduling.engine.world import Absence

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves, in order of their weeks, none where nothing has to change; `optimal` where fewer are proven not to do."""

    moves: tuple[Move, ...]
    optimal: bool


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Why there is no plan, in words, and a smallest set of blocks without which there would be one."""

    reason: str
    blocks: tuple[Absence, ...]


def plan(
    weeks: Sequence[Week],
    *,
    absences: Sequence[Absence],
    engineers: Sequence[int],
    names: Mapping[int, str],
    seconds: float = SECONDS,
) -> Plan | NoPlan:
    """Return the smallest set of moves that leaves nobody on call while away and keeps everybody's count within one.

    Every week goes to one of `engineers`; nobody holds a week of which an absence of theirs takes any instant. The counts
    over these weeks differ by one at most, or by as much as they do now where that is more, say since somebody joined late.
    Of plans with as few moves, one with the fewest weeks in a row for the same engineer is taken.
    """
    if not weeks:
        return Plan((), optimal=True)
    if not engineers:
        return NoPlan("Nobody on the roster is active.", ())
    # Every process of the site would else pay for what only a planner needs.
    from scheduling.engine.solving import Outcome, Problem  # noqa: PLC0415  # slow to import

    problem = Problem(weeks, absences=absences, engineers=engineers)
    outcome = problem.solve(relaxed=False, seconds=seconds)
    if outcome in (Outcome.OPTIMAL, Outcome.FOUND):
        return Plan(problem.moves(), optimal=outcome is Outcome.OPTIMAL)
    if outcome is Outcome.UNKNOWN:
        return NoPlan(f"No plan was found within {seconds:.0f} seconds; there may be one.", ())
    problem.solve(relaxed=True, seconds=seconds)
    blocks = problem.ignored()
    listed = " and while ".join(f"{names[one.engineer]} is {one.reason}" for one in blocks)
    return NoPlan(
        f"No plan exists while {listed}." if blocks else "No plan keeps everybody’s count within one.", blocks
    )
