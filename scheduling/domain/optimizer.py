"""Find the fewest reassignments that leave nobody on call while away, with the OR-Tools CP-SAT solver."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from ortools.sat.python import cp_model

from scheduling.domain.responder_chain import Absence
from scheduling.domain.weeks import Move, Week

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves in week order, empty if nothing has to change; `optimal` is True if no smaller plan exists."""

    moves: tuple[Move, ...]
    optimal: bool


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Why no plan exists, and a smallest set of absences that rule one out."""

    reason: str
    blocks: tuple[Absence, ...]


def plan(
    weeks: Sequence[Week],
    *,
    absences: Sequence[Absence],
    engineers: Sequence[int],
    names: Mapping[int, str],
    seconds: float = SECONDS,
) -> Plan | Infeasible:
    """Return the smallest set of moves that leaves nobody on call while away and shares the weeks evenly.

    Every week goes to one of `engineers`, and nobody gets a week that overlaps one of their absences. Week counts differ
    by at most one, or by the current difference if that is larger, for example after an engineer joined late. Among the
    smallest plans, prefer the one with the fewest consecutive weeks for the same engineer.
    """
    if not weeks:
        return Plan((), optimal=True)
    if not engineers:
        return Infeasible("Nobody on the roster is active.", ())
    problem = Problem(weeks, absences=absences, engineers=engineers)
    outcome = problem.solve(relaxed=False, seconds=seconds)
    if outcome in (Outcome.OPTIMAL, Outcome.FOUND):
        return Plan(problem.moves(), optimal=outcome is Outcome.OPTIMAL)
    if outcome is Outcome.UNKNOWN:
        return Infeasible(f"No plan was found within {seconds:.0f} seconds; there may be one.", ())
    problem.solve(relaxed=True, seconds=seconds)
    blocks = problem.ignored()
    listed = " and while ".join(f"{names[one.engineer]} is {one.reason}" for one in blocks)
    return Infeasible(
        f"No plan exists while {listed}." if blocks else "No plan keeps everybody’s count within one.", blocks
    )


WORKERS = 2


class Outcome(Enum):
    """How the solver ended."""

    OPTIMAL = auto()
    FOUND = auto()
    IMPOSSIBLE = auto()
    UNKNOWN = auto()


OUTCOMES = {
    cp_model.OPTIMAL: Outcome.OPTIMAL,
    cp_model.FEASIBLE: Outcome.FOUND,
    cp_model.INFEASIBLE: Outcome.IMPOSSIBLE,
}


class Problem:
    """The constraint model of who holds which week, and its solution."""

    def __init__(self, weeks: Sequence[Week], *, absences: Sequence[Absence], engineers: Sequence[int]) -> None:
        self.weeks = sorted(weeks, key=lambda week: week.starts_on)
        self.engineers = list(dict.fromkeys(engineers))
        self.absences = [one for one in absences if one.engineer in set(self.engineers)]
        self.solver = cp_model.CpSolver()
        self.holds: dict[tuple[int, int], cp_model.IntVar] = {}
        self.dropped: list[cp_model.IntVar] = []

    def solve(self, *, relaxed: bool, seconds: float) -> Outcome:
        """Build the model and solve it; if `relaxed`, absences may be ignored, as few as possible."""
        model = cp_model.CpModel()
        for place in range(len(self.weeks)):
            for engineer in self.engineers:
                self.holds[place, engineer] = model.new_bool_var(f"{engineer} holds {place}")
            model.add_exactly_one(self.holds[place, engineer] for engineer in self.engineers)
        self.dropped = [model.new_bool_var(f"without {number}") for number in range(len(self.absences))]
        for ignored, absence in zip(self.dropped, self.absences, strict=True):
            if not relaxed:
                model.add(ignored == 0)
            for place, week in enumerate(self.weeks):
                if absence.starts_at < week.ends_at and absence.ends_at > week.starts_at:
                    model.add_implication(self.holds[place, absence.engineer], ignored)
        self._keep_even(model)
        model.minimize(sum(self.dropped) if relaxed else self._cost(model))
        # A fixed seed makes results reproducible.
        self.solver.parameters.random_seed = 1
        self.solver.parameters.num_workers = WORKERS
        self.solver.parameters.max_time_in_seconds = seconds
        return OUTCOMES.get(self.solver.solve(model), Outcome.UNKNOWN)

    def _keep_even(self, model: cp_model.CpModel) -> None:
        now = Counter(week.engineer for week in self.weeks)
        counts = [now[engineer] for engineer in self.engineers]
        widest = max(1, max(counts) - min(counts))
        fewest = model.new_int_var(0, len(self.weeks), "fewest")
        for engineer in self.engineers:
            count = sum(self.holds[place, engineer] for place in range(len(self.weeks)))
            model.add(count >= fewest)
            model.add(count <= fewest + widest)

    def _cost(self, model: cp_model.CpModel) -> cp_model.LinearExprT:
        """Return the cost: moves first, then consecutive weeks, which together never outweigh one move."""
        moved = [
            1 - self.holds[place, week.engineer] if (place, week.engineer) in self.holds else 1
            for place, week in enumerate(self.weeks)
        ]
        in_a_row = []
        for place in range(len(self.weeks) - 1):
            twice = model.new_bool_var(f"{place} in a row")
            in_a_row.append(twice)
            for engineer in self.engineers:
                model.add(self.holds[place, engineer] + self.holds[place + 1, engineer] <= 1 + twice)
        return sum(moved) * len(self.weeks) + sum(in_a_row)

    def moves(self) -> tuple[Move, ...]:
        """Return the weeks that the solution reassigns."""
        found = []
        for place, week in enumerate(self.weeks):
            taker = next(one for one in self.engineers if self.solver.boolean_value(self.holds[place, one]))
            if taker != week.engineer:
                found.append(Move(week.starts_on, week.engineer, taker))
        return tuple(found)

    def ignored(self) -> tuple[Absence, ...]:
        """Return the blocks that the relaxed solution leaves out."""
        pairs = zip(self.dropped, self.absences, strict=True)
        return tuple(absence for ignored, absence in pairs if self.solver.boolean_value(ignored))
