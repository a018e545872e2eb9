"""What the policy would have done on training programs and libraries that it was not trained on.

Each program or library in turn is left out, with all plans that were found on it alone; the policy is trained on the
others, and its portfolio is tried in its own order on the units left out. All figures are in the table already, so
nothing is compiled. What `evolve` adds afterwards is not part of it.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.search.policy.fit import train
from compiler_agent.search.policy.model import gain
from compiler_agent.search.policy.strategy import Policy
from compiler_agent.search.policy.table import LIBRARIES, UnitRow, origins
from compiler_agent.search.space import Space
from compiler_agent.search.strategies import STOCK, Coreset, read_coreset
from compiler_agent.search.strategy import Score, Strategy

EVALUATIONS = (1, 2, 5, 10, 20, 35)
"""After so many plans beside the stock plan the figures are given."""
_OBJECTIVE = Objective.TEXT_BYTES


@dataclass(frozen=True, slots=True)
class Figure:
    """One way to choose plans, on one kind of units."""

    chooser: str
    """policy; in-order: its portfolio without looking at the unit; coreset: the seed plans in their order."""
    part: str
    """programs, or libraries: on three of these four the seed plans were chosen."""
    n_units: int
    """How many."""
    ratios: tuple[float, ...]
    """After EVALUATIONS: bytes of clang -Oz divided by the best so far, geometric mean; above 1 is better."""


def assess(rows: Sequence[UnitRow], space: Space, llvm: str) -> list[Figure]:
    """Leaves out one program or library after the other; figures on all units."""
    curves: dict[tuple[str, str], list[list[float]]] = {}
    for group in sorted({row.group for row in rows}):
        model = train(_without(rows, group), llvm, "")
        for row in (row for row in rows if row.group == group):
            part = "libraries" if row.uri.startswith(LIBRARIES) else "programs"
            choosers: dict[str, Strategy] = {
                "policy": Policy(replace(model, patience=0.0), space, row.features, _OBJECTIVE, lambda _: Coreset(())),
                "in-order": Coreset(model.plans),
                "coreset": Coreset(read_coreset()),
            }
            for name, strategy in choosers.items():
                curves.setdefault((name, part), []).append(_curve(strategy, row))
    return [
        Figure(name, part, len(each), tuple(math.exp(statistics.mean(column)) for column in zip(*each, strict=True)))
        for (name, part), each in sorted(curves.items(), key=lambda one: (one[0][1], one[0][0]))
    ]


def _without(rows: Sequence[UnitRow], group: str) -> list[UnitRow]:
    own = {text for text, found_on in origins(rows).items() if found_on == {group}}
    return [
        replace(row, outcomes={text: one for text, one in row.outcomes.items() if text not in own})
        for row in rows
        if row.group != group
    ]


def _curve(strategy: Strategy, row: UnitRow) -> list[float]:
    """The best gain after each number of EVALUATIONS."""
    strategy.tell(Score(STOCK, float(row.baseline[0]), False))
    best, curve = 0.0, [0.0]
    while len(curve) <= EVALUATIONS[-1]:
        plan = strategy.ask()
        if plan is not None:
            outcome = row.outcomes[str(plan)]
            gained = gain(outcome, row.baseline, _OBJECTIVE)
            strategy.tell(Score(plan, outcome and outcome[0], gained > 0))
            best = max(best, gained)
        curve.append(best)
    return [curve[number] for number in EVALUATIONS]
