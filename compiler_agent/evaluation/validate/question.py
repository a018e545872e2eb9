"""Questions to z3 about a pair of executions, and what a counterexample looks like."""

from __future__ import annotations

import enum
from typing import Any

import z3

from compiler_agent.evaluation.validate import terms
from compiler_agent.evaluation.validate.execute import Execution
from compiler_agent.evaluation.validate.terms import Bool, equal
from compiler_agent.evaluation.validate.values import Aggregate, Number, Pointer, Value
from compiler_agent.evaluation.validate.world import World


class Answer(enum.Enum):
    """What z3 says of a question."""

    NO = "unsatisfiable"
    """There is no such input."""
    YES = "satisfiable"
    """There is one."""
    UNKNOWN = "unknown"
    """It did not find out."""


class Question:
    """A question to z3 about a pair of executions, within a time."""

    def __init__(self, world: World, source: Execution, target: Execution) -> None:
        self.world = world
        self.source = source
        self.target = target

    def paired(self) -> list[Bool]:
        """The source chooses as the target does: the k-th choice of a kind as the k-th."""
        ours, theirs = self.source.side.choices, self.target.side.choices
        return [equal(term, theirs[key]) for key, term in ours.items() if key in theirs]

    def ask(self, bad: Bool, seconds: float) -> tuple[Answer, Any]:
        """Whether a difference is possible where the source's choices are paired with the target's."""
        if terms.is_false(bad):
            return Answer.NO, None
        solver = z3.Solver() if self.world.floating else z3.SolverFor("QF_UFBV")
        solver.set("timeout", max(1, int(seconds * 1000)))
        solver.add(*self.world.axioms, *self.paired(), bad)
        return self._result(solver)

    def ask_all_choices(self, bad: Bool, seconds: float) -> tuple[Answer, Any]:
        """Whether a difference is possible whatever the source chooses."""
        choices = [term for term in self.source.side.choices.values() if occurs(term, bad)]
        solver = z3.Solver()
        solver.set("timeout", max(1, int(seconds * 1000)))
        solver.add(*self.world.axioms, z3.ForAll(choices, bad) if choices else bad)
        return self._result(solver)

    def _result(self, solver: z3.Solver) -> tuple[Answer, Any]:
        outcome = solver.check()
        if outcome == z3.unsat:
            return Answer.NO, None
        if outcome == z3.sat:
            return Answer.YES, solver.model()
        return Answer.UNKNOWN, solver.reason_unknown()


def occurs(term: Any, inside: Any) -> bool:
    """Whether a constant occurs in a term."""
    seen: set[int] = set()
    waiting = [inside]
    name = term.decl().name()
    while waiting:
        one = waiting.pop()
        if one.get_id() in seen:
            continue
        seen.add(one.get_id())
        if z3.is_const(one) and one.decl().kind() == z3.Z3_OP_UNINTERPRETED and one.decl().name() == name:
            return True
        waiting.extend(one.children())
    return False


def show(model: Any, world: World) -> tuple[tuple[str, str], ...]:
    """The inputs of a counterexample: arguments, then the bytes of memory at entry that were looked at."""
    lines = []
    for name, value in world.inputs:
        lines.append((name, _shown(model, world, value)))
    seen = {}
    for block, position in world.reads:
        at = model.eval(block, model_completion=True), model.eval(position, model_completion=True)
        value, _ = world.contents("entry")
        byte = model.eval(value(*at), model_completion=True)
        seen[f"byte at block {at[0]} + {at[1]}"] = f"{byte}"
    return (*lines, *list(seen.items())[:64])


def _shown(model: Any, world: World, value: Value) -> str:
    if isinstance(value, Aggregate):
        return "{" + ", ".join(_shown(model, world, part) for part in value.parts) + "}"
    if z3.is_true(model.eval(value.poison, model_completion=True)):
        return "poison"
    if isinstance(value, Number):
        return str(model.eval(value.bits, model_completion=True))
    assert isinstance(value, Pointer)
    block, position = (model.eval(term, model_completion=True) for term in (value.block, value.position))
    address = model.eval(world.address(value), model_completion=True)
    return f"{address} (block {block} + {position})"
