"""Find the fewest reassignments that leave nobody on call while away, with the OR-Tools CP-SAT solver."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from importlib.util import find_spec
from typing import TYPE_CHECKING

from people.domain.person import Person
from scheduling.domain.responder_chain import Absence
from scheduling.domain.weeks import Move, Week

# The solver is an optional extra, with pandas half as large as everything else together, and it is imported where a plan is made.
if TYPE_CHECKING:
    from ortools.sat.python import cp_model

NOT_INSTALLED = "The planner is not installed on this site. An operator can install it from requirements-planner.txt."
MAX_SOLVER_SECONDS = 10.0
SOLVER_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """Moves in week order, empty if nothing has to change; `optimal` is True if no smaller plan exists."""

    moves: tuple[Move, ...]
    optimal: bool


@dataclass(frozen=True, slots=True)
class Infeasible:
    """Why no plan exists, and a smallest set of absences that rule one out."""

    reason: str
    absences: tuple[Absence, ...]


def plan(
    weeks: Sequence[Week],
    *,
    absences: Sequence[Absence],
    engineers: Sequence[Person],
    seconds: float = MAX_SOLVER_SECONDS,
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
    if find_spec("ortools") is None:
        return Infeasible(NOT_INSTALLED, ())
    problem = Problem(weeks, absences=absences, engineers=engineers)
    outcome = problem.solve(relaxed=False, seconds=seconds)
    if outcome in (Outcome.OPTIMAL, Outcome.FEASIBLE):
        return Plan(problem.moves(), optimal=outcome is Outcome.OPTIMAL)
    if outcome is Outcome.UNKNOWN:
        return Infeasible(f"No plan found within {seconds:.0f} seconds. Try again later.", ())
    problem.solve(relaxed=True, seconds=seconds)
    blocking = problem.ignored_absences()
    if not blocking:
        return Infeasible("No plan gives everyone the same number of shifts, within one.", ())
    listed = " and ".join(f"{absence.engineer} is {absence.reason}" for absence in blocking)
    return Infeasible(f"No plan is possible while {listed}.", blocking)


class Outcome(Enum):
    """How the solver ended."""

    OPTIMAL = auto()
    FEASIBLE = auto()
    INFEASIBLE = auto()
    UNKNOWN = auto()


class Problem:
    """The constraint model of which engineer gets which week, and its solution."""

    def __init__(self, weeks: Sequence[Week], *, absences: Sequence[Absence], engineers: Sequence[Person]) -> None:
        from ortools.sat.python import cp_model  # noqa: PLC0415  # see above

        self.weeks = sorted(weeks, key=lambda week: week.starts_on)
        self.engineers = list(dict.fromkeys(engineers))
        self.absences = [absence for absence in absences if absence.engineer in set(self.engineers)]
        self.solver = cp_model.CpSolver()
        self.is_assigned: dict[tuple[int, Person], cp_model.IntVar] = {}
        self.is_ignored: list[cp_model.IntVar] = []

    def solve(self, *, relaxed: bool, seconds: float) -> Outcome:
        """Build the model and solve it; if `relaxed`, absences may be ignored, as few as possible."""
        from ortools.sat.python import cp_model  # noqa: PLC0415  # see above

        model = cp_model.CpModel()
        for index in range(len(self.weeks)):
            for engineer in self.engineers:
                self.is_assigned[index, engineer] = model.new_bool_var(f"week {index} to {engineer.id}")
            model.add_exactly_one(self.is_assigned[index, engineer] for engineer in self.engineers)
        self.is_ignored = [model.new_bool_var(f"without absence {number}") for number in range(len(self.absences))]
        for ignored, absence in zip(self.is_ignored, self.absences, strict=True):
            if not relaxed:
                model.add(ignored == 0)
            for index, week in enumerate(self.weeks):
                if absence.starts_at < week.ends_at and absence.ends_at > week.starts_at:
                    model.add_implication(self.is_assigned[index, absence.engineer], ignored)
        self._limit_spread(model)
        model.minimize(sum(self.is_ignored) if relaxed else self._cost(model))
        # A fixed seed makes results reproducible.
        self.solver.parameters.random_seed = 1
        self.solver.parameters.num_workers = SOLVER_WORKERS
        # Otherwise the workers race, and each run may return another of the smallest plans.
        self.solver.parameters.interleave_search = True
        self.solver.parameters.max_time_in_seconds = seconds
        name = self.solver.solve(model).name
        return Outcome[name] if name in Outcome.__members__ else Outcome.UNKNOWN

    def _limit_spread(self, model: "cp_model.CpModel") -> None:
        """Keep everyone's number of weeks within one of each other, or as uneven as it is now."""
        current = Counter(week.engineer for week in self.weeks)
        counts = [current[engineer] for engineer in self.engineers]
        spread = max(1, max(counts) - min(counts))
        fewest = model.new_int_var(0, len(self.weeks), "fewest")
        for engineer in self.engineers:
            count = sum(self.is_assigned[index, engineer] for index in range(len(self.weeks)))
            model.add(count >= fewest)
            model.add(count <= fewest + spread)

    def _cost(self, model: "cp_model.CpModel") -> "cp_model.LinearExprT":
        """Return the cost: moves first, then consecutive weeks, which together never outweigh one move."""
        moved = [
            1 - self.is_assigned[index, week.engineer] if (index, week.engineer) in self.is_assigned else 1
            for index, week in enumerate(self.weeks)
        ]
        consecutive = []
        for index in range(len(self.weeks) - 1):
            same_engineer = model.new_bool_var(f"weeks {index} and {index + 1} to one engineer")
            consecutive.append(same_engineer)
            for engineer in self.engineers:
                both = self.is_assigned[index, engineer] + self.is_assigned[index + 1, engineer]
                model.add(both <= 1 + same_engineer)
        return sum(moved) * len(self.weeks) + sum(consecutive)

    def moves(self) -> tuple[Move, ...]:
        """Return the weeks that the solution reassigns."""
        moves = []
        for index, week in enumerate(self.weeks):
            taker = next(key for key in self.engineers if self.solver.boolean_value(self.is_assigned[index, key]))
            if taker != week.engineer:
                moves.append(Move(week.starts_on, week.engineer, taker))
        return tuple(moves)

    def ignored_absences(self) -> tuple[Absence, ...]:
        """Return the absences that the relaxed solution ignores."""
        pairs = zip(self.is_ignored, self.absences, strict=True)
        return tuple(absence for ignored, absence in pairs if self.solver.boolean_value(ignored))
