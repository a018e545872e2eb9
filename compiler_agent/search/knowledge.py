"""What worked on other translation units: those most like this one, and their best plans.

It is read from the store once, before a search begins, so that what is kept meanwhile changes nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from compiler_agent.base.store import Store, StoredOutcome
from compiler_agent.llvm.pipeline import Adaptor, Pipeline, walk
from compiler_agent.llvm.plan import Plan

N_NEIGHBOURS = 5
N_PLANS = 1
"""Of each neighbour: the second best plan of a search is mostly a small edit of the best."""
# The features begin with the numbers of instructions, blocks and functions; then comes one count per opcode.
_FIRST_OPCODE = 3


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A past unit that is like the one at hand."""

    key: str
    """Its key in the lock."""
    source: str
    """Its source file when it was tuned."""
    distance: float
    """0 for the same mixture of instructions, 1 for nothing in common."""
    plans: tuple[Plan, ...]
    """What made it smallest, best first, without the decisions, which name its own functions."""
    gains: tuple[float, ...]
    """Baseline divided by what each plan gave."""


class Knowledge:
    """Outcomes of past searches, all of one LLVM and objective."""

    def __init__(self, outcomes: Iterable[StoredOutcome] = ()) -> None:
        self._outcomes: dict[str, list[StoredOutcome]] = {}
        for outcome in outcomes:
            self._outcomes.setdefault(outcome.key, []).append(outcome)

    @classmethod
    def read(cls, store: Store, toolchain: str, objective: str) -> Knowledge:
        """What a store has of one `Toolchain.digest` and objective."""
        return cls(store.best_plans(toolchain, objective, N_PLANS))

    def where(self, allowed: Callable[[str], bool]) -> Knowledge:
        """What was learned from the sources that are allowed."""
        return Knowledge(one for group in self._outcomes.values() for one in group if allowed(one.source))

    def nearest(self, key: str, target: str, features: Sequence[int]) -> tuple[Neighbour, ...]:
        """The units of a target most like a given one, nearest first; never that unit itself."""
        found = [
            Neighbour(
                known,
                group[0].source,
                distance(features, group[0].features),
                tuple(replace(Plan.parse(one.plan), decisions=()) for one in group),  # they name that unit's functions
                tuple(one.gain for one in group),
            )
            for known, group in self._outcomes.items()
            if known != key and group[0].target == target
        ]
        return tuple(sorted(found, key=lambda one: (one.distance, one.key))[:N_NEIGHBOURS])


NOTHING = Knowledge()


def distance(first: Sequence[int], second: Sequence[int]) -> float:
    """How different two modules' mixtures of instructions are: 0 equal, 1 nothing in common.

    The Hellinger distance of the opcodes' shares. It needs no scale learned from other modules, so the distance of two
    modules never changes, and a rare opcode weighs little. Source: Hellinger 1909, J. reine angew. Math. 136.

    Args:
        first: `Engine.features` of one module.
        second: The same of the other.
    """
    totals = sum(first[_FIRST_OPCODE:]), sum(second[_FIRST_OPCODE:])
    if 0 in totals:
        return 0.0 if totals[0] == totals[1] else 1.0
    pairs = zip(first[_FIRST_OPCODE:], second[_FIRST_OPCODE:], strict=True)
    overlap = sum(math.sqrt(ours / totals[0] * theirs / totals[1]) for ours, theirs in pairs)
    return math.sqrt(max(0.0, 1.0 - overlap))


def plans_of(neighbours: Sequence[Neighbour]) -> list[Plan]:
    """What worked on the neighbours, the nearest one's first."""
    return [plan for one in neighbours for plan in one.plans]


def describe(neighbours: Sequence[Neighbour], stock: Pipeline) -> str:
    """Neighbours and what worked there, a line each, for a planner; plans are edits to the stock plan.

    Without the sources' names, which may be other people's business. Empty where there are no neighbours.
    """
    head = "distance (0: the same mixture of instructions, 1: nothing in common), gain, plan as edits of the stock plan"
    lines = [
        f"{one.distance:.2f}  {gain:.3f} times smaller  {_edits(plan, stock)}"
        for one in neighbours
        for plan, gain in zip(one.plans, one.gains, strict=True)
    ]
    return "\n".join([head, *lines]) if lines else ""


def _edits(plan: Plan, stock: Pipeline) -> str:
    words = [f"-{name}={value}" for name, value in plan.options]
    if [node.name for node in plan.pipeline.nodes] != ["default"]:
        ours, theirs = _passes(plan.pipeline), _passes(stock)
        words += [f"{n} more {name}" for name, n in sorted((ours - theirs).items())]
        words += [f"{n} fewer {name}" for name, n in sorted((theirs - ours).items())]
    return ", ".join(words) or "the stock pipeline"


def _passes(pipeline: Pipeline) -> Counter[str]:
    return Counter(node.name for _, node, _ in walk(pipeline) if not isinstance(node, Adaptor))
