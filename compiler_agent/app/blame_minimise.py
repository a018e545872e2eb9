"""The smallest part of a plan that is still refuted: delta debugging over its passes, options and decisions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from compiler_agent.llvm import pipeline_edit
from compiler_agent.llvm.catalog import Catalog
from compiler_agent.llvm.pipeline import Pass, Path, Pipeline, parse, walk
from compiler_agent.llvm.plan import Plan

_Item = TypeVar("_Item")

NOTHING = parse("no-op-module")
"""A pipeline that does nothing: what remains where only options are to blame."""


class Oracle(Protocol):
    """Whoever can say that a plan is wrong."""

    def refutes(self, plan: Plan) -> bool:
        """Whether the plan was shown to be wrong; False where it was not, or cannot even be compiled."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that can be taken out of a plan."""

    text: str
    """The pass or decision as it stands, or the option with its dash."""
    path: Path | None
    """Where the pass is; None for an option or decision."""


def parts_of(plan: Plan) -> list[Part]:
    """The passes of a plan in their order, then its options and decisions."""
    passes = [Part(str(node), path) for path, node, _ in walk(plan.pipeline) if isinstance(node, Pass)]
    others = [*(f"-{name}" for name, _ in plan.options), *map(str, plan.decisions)]
    return passes + [Part(text, None) for text in others]


def only(plan: Plan, kept: Sequence[Part]) -> Plan:
    """The plan with nothing but these parts, each where it stood."""
    paths = {part.path for part in kept}
    texts = {part.text for part in kept if part.path is None}
    pipeline: Pipeline = plan.pipeline
    for part in reversed(parts_of(plan)):
        if part.path is not None and part.path not in paths:
            pipeline = pipeline_edit.delete(pipeline, part.path)
    pipeline = pipeline_edit.normalise(pipeline)
    options = tuple(option for option in plan.options if f"-{option[0]}" in texts)
    decisions = tuple(decision for decision in plan.decisions if str(decision) in texts)
    return Plan(pipeline if pipeline.nodes else NOTHING, options, decisions)


def minimise(plan: Plan, oracle: Oracle, catalog: Catalog) -> Plan:
    """The smallest plan, in the sense that nothing more can be taken out, that the oracle still refutes.

    What is experimental is tried alone first: it is to blame most often.

    Args:
        plan: A refuted plan, without `default<…>`, which cannot be taken apart.
        oracle: Who refutes.
        catalog: Says what is experimental.
    """
    parts = parts_of(plan)
    doubtful = catalog.provenance_of(plan).names
    suspects = [part for part in parts if part.text in doubtful or part.text.partition("<")[0] in doubtful]
    if suspects and len(suspects) < len(parts) and oracle.refutes(only(plan, suspects)):
        parts = suspects
    return only(plan, delta_debug(parts, lambda kept: oracle.refutes(only(plan, kept))))


def delta_debug(items: Sequence[_Item], fails: Callable[[Sequence[_Item]], bool]) -> list[_Item]:
    """A part of the items that fails while it does not without any one of them; the items themselves must fail.

    Source: Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, IEEE TSE 28(2), 2002.
    """
    kept, n_chunks = list(items), 2
    while len(kept) >= 2:
        n_chunks = min(n_chunks, len(kept))
        bounds = [len(kept) * index // n_chunks for index in range(n_chunks + 1)]
        chunks = [kept[start:end] for start, end in itertools.pairwise(bounds)]
        smaller = next((chunk for chunk in chunks if fails(chunk)), None)
        if smaller is not None:
            kept, n_chunks = smaller, 2
            continue
        if n_chunks > 2:
            rests = [[item for other in chunks if other is not chunk for item in other] for chunk in chunks]
            rest = next((rest for rest in rests if fails(rest)), None)
            if rest is not None:
                kept, n_chunks = rest, n_chunks - 1
                continue
        if n_chunks == len(kept):
            break
        n_chunks *= 2
    return kept
