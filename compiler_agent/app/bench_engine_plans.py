"""The plans on which the engine is compared with processes: drawn one by one, and as searches ask for them."""

from __future__ import annotations

import random
from collections.abc import Callable

from compiler_agent.base.config import Budget
from compiler_agent.evaluation.evaluate import Evaluator
from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.pipeline import Level, Node, Pipeline
from compiler_agent.llvm.plan import Plan
from compiler_agent.search import strategies
from compiler_agent.search.loop import search
from compiler_agent.search.space import Space

SHORT_PASSES = 5
# A plan that gives a module that was seen already, or that fails, is drawn again, so many times per plan wanted.
_DRAWS = 8


def whole(engine: Engine, space: Space, rng: random.Random, n_plans: int) -> list[Plan]:
    """Pipelines of the stock one's size, each with a few edits of its own and another module as result.

    No LLVM options: opt and llc need not know the ones that clang does.
    """

    def draw() -> Plan:
        plan = strategies.STOCK
        for _ in range(rng.randint(2, 6)):
            plan = space.edit_pipeline(plan, rng)
        return plan

    return _usable(engine, draw, n_plans, lambda plan, measured: measured.fingerprint)


def short(engine: Engine, space: Space, rng: random.Random, n_plans: int) -> list[Plan]:
    """Pipelines of one to five passes, drawn without regard to each other."""
    return _usable(engine, lambda: short_plan(space, rng), n_plans, lambda plan, measured: str(plan))


def short_plan(space: Space, rng: random.Random) -> Plan:
    """One to five passes, drawn evenly."""
    nodes: list[Node] = []
    while not nodes:
        nodes = [node for _ in range(rng.randint(1, SHORT_PASSES)) if (node := _draw_pass(space, rng)) is not None]
    return Plan(Pipeline(tuple(nodes)))


def evolve(engine: Engine, space: Space, seed: int, n_plans: int) -> list[Plan]:
    """What an `evolve` search asks for, in its order, seed plans and back-end options included."""
    evaluator = Evaluator(engine, space.catalog)
    found = search(strategies.make("evolve", space, seed), evaluator.evaluate, Budget(n_plans))
    return [each.plan for each in found.evaluations if each.measurement.outcome is Outcome.OK]


def greedy(engine: Engine, space: Space, rng: random.Random, n_plans: int) -> list[Plan]:
    """What a greedy search over passes asks for: the best pipeline so far, with one pass more, up to five passes.

    An agent that learns (CompilerGym's episodes) asks for the like.
    """
    plans: list[Plan] = []
    best: tuple[Node, ...] = ()
    for _ in range(SHORT_PASSES):
        counts: list[tuple[int, int, tuple[Node, ...]]] = []
        while len(counts) < n_plans // SHORT_PASSES:
            node = _draw_pass(space, rng)
            if node is None:
                continue
            plan = Plan(Pipeline((*best, node)))
            measured = engine.measure(str(plan), emit=False, identify=False)
            if measured.outcome is Outcome.OK and measured.ir_instructions is not None:
                counts.append((measured.ir_instructions, len(counts), plan.pipeline.nodes))
                plans.append(plan)
        best = min(counts)[2]
    return plans


def _draw_pass(space: Space, rng: random.Random) -> Node | None:
    return rng.choice(space.passes).nested(Level.MODULE)


def _usable(
    engine: Engine, draw: Callable[[], Plan], n_plans: int, identity: Callable[[Plan, Measurement], str]
) -> list[Plan]:
    """Plans that work and differ, so that neither side profits from having seen one."""
    plans: dict[str, Plan] = {}
    for _ in range(_DRAWS * n_plans):
        plan = draw()
        measured = engine.measure(str(plan), emit=False)
        if measured.outcome is Outcome.OK:
            plans.setdefault(identity(plan, measured), plan)
        if len(plans) == n_plans:
            break
    return list(plans.values())
