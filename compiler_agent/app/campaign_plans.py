"""Random plans for the hunt for miscompiles: wilder than a search's, which stays close to what is good."""

from __future__ import annotations

import enum
import random
from collections.abc import Sequence

from compiler_agent.base.errors import PlanError
from compiler_agent.llvm import catalog, pipeline_edit, stock
from compiler_agent.llvm.catalog_entries import Provenance
from compiler_agent.llvm.pipeline import Level, Node, Pipeline, walk
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import Toolchain
from compiler_agent.search.space import Space

LEVELS = ("-Oz", "-O2", "-O3")
_MOST_EDITS = 12
_SHORT = 0.25
_MOST_PASSES = 14
_ATTEMPTS = 200


class Kind(enum.StrEnum):
    """What a plan may hold."""

    PRODUCTION = "production"
    """Only what clang runs itself at some level or with some flag."""
    EXPERIMENTAL = "experimental"
    """At least one pass or option that clang does not use."""


class PlanSource:
    """Draws plans around the stock pipeline of one optimization level."""

    def __init__(self, toolchain: Toolchain, level: str) -> None:
        self._catalog = catalog.load()
        pipeline = stock.editable_pipeline(toolchain, self._catalog, level)
        self._spaces = {
            kind: Space(self._catalog, pipeline, allow_experimental=kind is Kind.EXPERIMENTAL) for kind in Kind
        }
        self._stock = Plan(pipeline)

    def draw(self, kind: Kind, rng: random.Random) -> Plan:
        """A plan that LLVM takes as far as the catalog knows, of this kind and not of the other.

        Three quarters are edits of the stock pipeline, the others short sequences of any passes.
        """
        wanted = Provenance(kind.value)
        for _ in range(_ATTEMPTS):
            plan = self._short(kind, rng) if rng.random() < _SHORT else self._edited(kind, rng)
            if kind is Kind.EXPERIMENTAL and self._catalog.provenance_of(plan).provenance is not wanted:
                plan = self._with_experimental_pass(plan, rng)
            try:
                self._catalog.check(plan)
            except PlanError:
                continue
            if self._catalog.provenance_of(plan).provenance is wanted:
                return plan
        raise PlanError(f"no {kind} plan was drawn in {_ATTEMPTS} attempts", hint="is the catalog whole?")

    def _edited(self, kind: Kind, rng: random.Random) -> Plan:
        space, plan = self._spaces[kind], self._stock
        for _ in range(rng.randint(1, _MOST_EDITS)):
            plan = space.edit_options(plan, rng) if rng.random() < 0.35 else space.edit_pipeline(plan, rng)
        return plan

    def _short(self, kind: Kind, rng: random.Random) -> Plan:
        known = self._spaces[kind].passes
        nodes = _nodes([rng.choice(known).nested(Level.MODULE) for _ in range(rng.randint(2, _MOST_PASSES))])
        plan = Plan(Pipeline(nodes))
        for _ in range(rng.randint(0, 3)):
            plan = self._spaces[kind].edit_options(plan, rng)
        return plan

    def _with_experimental_pass(self, plan: Plan, rng: random.Random) -> Plan:
        doubtful = [
            known for known in self._spaces[Kind.EXPERIMENTAL].passes if known.provenance.value == Kind.EXPERIMENTAL
        ]
        chosen = rng.choice(doubtful)
        path, _, level = rng.choice(list(walk(plan.pipeline)))
        node = chosen.nested(level, rng.randrange(len(chosen.forms)))
        return plan if node is None else plan.with_pipeline(pipeline_edit.insert(plan.pipeline, path, node))


def _nodes(found: Sequence[Node | None]) -> tuple[Node, ...]:
    return tuple(node for node in found if node is not None)
