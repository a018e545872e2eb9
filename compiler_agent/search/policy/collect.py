"""Fills the policy's table: `evolve` on each training unit, then what it found there on every other one."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler_agent.base.config import Budget
from compiler_agent.base.errors import EngineError
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.benchmark import Part
from compiler_agent.evaluation.evaluate import Evaluation, Evaluator, Verdict
from compiler_agent.llvm import catalog, stock
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets import find
from compiler_agent.search.env.datasets.dataset import toolchain
from compiler_agent.search.env.datasets.programs import Libraries, Programs
from compiler_agent.search.env.served import LEVEL
from compiler_agent.search.loop import search
from compiler_agent.search.policy import table
from compiler_agent.search.policy.edits import edit_words
from compiler_agent.search.space import Space
from compiler_agent.search.strategies import STOCK, Evolve, read_coreset

LEAST_BYTES, MOST_INSTRUCTIONS = 100, 6000
"""Units of less code tell nothing, and larger ones (before optimization) take too long."""
_FIT = (Verdict.ESTABLISHED, Verdict.NOT_BETTER)
"""Of plans whose figures count; one that moved code into data, or failed, has none."""


@dataclass(frozen=True, slots=True)
class Collecting:
    """How the table is filled."""

    journal: Journal
    """The table."""
    budget: int
    """Plans that each search tries, the seed plans among them."""
    seed: int
    """Of each search."""
    seconds: float
    """Time on the clock after which no further unit is begun."""
    say: Callable[[str], None]
    """Told what is done."""


def training_uris() -> Iterator[str]:
    """Every unit of the training part; fetches the training libraries, and no others."""
    for dataset in (Programs(), Libraries()):
        yield from (f"{dataset.uri}/{name}" for name in dataset.names_of(Part.TRAINING))


def collect(collecting: Collecting) -> bool:
    """Does what is missing, unit by unit.

    Returns:
        Whether the table is complete; if not, the time was up.
    """
    deadline_s = time.monotonic() + collecting.seconds
    uris = list(training_uris())
    table.check_training(uris)
    journal, left_out = collecting.journal, 0
    for number, uri in enumerate(uris, 1):
        if journal.get("left-out", uri) is None and journal.get(table.SEARCHED, uri) is None:
            if time.monotonic() >= deadline_s:
                return False
            _note_search(uri, collecting, f"[{number}/{len(uris)}]")
        left_out += journal.get("left-out", uri) is not None
    rows = table.read(journal)
    plans = table.candidates(rows)
    for number, row in enumerate(rows, 1):
        key = table.tried_key(row.uri, plans)
        if journal.get(table.TRIED, key) is None:
            if time.monotonic() >= deadline_s:
                return False
            outcomes, cpu_time_s = try_plans(find(row.uri), plans)
            journal.note(table.TRIED, key, outcomes=outcomes, cpu_time_s=cpu_time_s)
            collecting.say(f"[{number}/{len(rows)}] {row.uri}: {len(plans)} plans of other units")
    collecting.say(f"{len(rows)} units, {left_out} left out, {len(plans)} plans beside the seed plans")
    return True


def _note_search(uri: str, collecting: Collecting, place: str) -> None:
    benchmark = find(uri)
    try:
        row = search_unit(benchmark, collecting.budget, collecting.seed)
    except EngineError as error:
        row = error.message
    if isinstance(row, str):
        collecting.journal.note("left-out", uri, reason=row)
        collecting.say(f"{place} {uri}: left out: {row}")
        return
    collecting.journal.note(table.SEARCHED, uri, **row)
    collecting.say(f"{place} {uri}: {row['baseline'][0]} bytes, {row['gain']:.4f} beyond the seed plans")


def cpu_time_s(journal: Journal) -> float:
    """Processor time that a table took, in seconds."""
    rows = [row for event in (table.SEARCHED, table.TRIED) for _, row in journal.rows(event)]
    return float(sum(row["cpu_time_s"] for row in rows))


def search_unit(benchmark: Benchmark, budget: int, seed: int) -> dict[str, Any] | str:
    """What `evolve` finds on a unit, as a row of the table, or why the unit is of no use.

    Raises:
        EngineError: It does not compile.
    """
    known, seeds = catalog.load(), read_coreset()
    space = Space(known, stock.editable_pipeline(toolchain(), known))
    before_s = _cpu_time_s()
    with Engine(benchmark.command(LEVEL), benchmark.directory) as engine:
        if engine.ir_instructions > MOST_INSTRUCTIONS:
            return f"{engine.ir_instructions} IR instructions are too many"
        evaluator = Evaluator(engine, known)
        if evaluator.baseline_value < LEAST_BYTES:
            return f"{evaluator.baseline_value} bytes are too few"
        strategy = Evolve(space, seeds, seed)
        found = search(strategy, evaluator.evaluate, Budget(n_evaluations=budget)).evaluations
        features = engine.all_features
    first = found[0]
    baseline = figures_of(first)
    if str(first.plan) != str(STOCK) or baseline is None:
        return "clang's own pipeline fails on it"
    named = {str(plan) for plan in seeds}
    outcomes = {str(one.plan): figures_of(one) for one in found if str(one.plan) in named}
    kept = [one for one in found if one.verdict.may_be_kept and one.value]
    best = min(kept, key=lambda one: (one.value, len(str(one.plan))), default=None)
    least = min([one[0] for one in outcomes.values() if one], default=baseline[0])
    is_new = best is not None and best.value is not None and best.value < least and str(best.plan) not in named
    return {
        "digest": benchmark.digest,
        "features": features,
        "baseline": baseline,
        "outcomes": outcomes,
        "found": str(best.plan) if is_new and best else "",
        "gain": least / best.value if is_new and best and best.value else 1.0,
        "search": _tree(found, strategy.parents, space),
        "cpu_time_s": _cpu_time_s() - before_s,
    }


def try_plans(benchmark: Benchmark, plans: list[Plan]) -> tuple[dict[str, table.Figures | None], float]:
    """Figures of plans on a unit, by their texts, and the processor time that it took, in seconds."""
    before_s = _cpu_time_s()
    with Engine(benchmark.command(LEVEL), benchmark.directory) as engine:
        evaluator = Evaluator(engine, catalog.load())
        outcomes = {str(plan): figures_of(evaluator.evaluate(plan)) for plan in plans}
    return outcomes, _cpu_time_s() - before_s


def figures_of(evaluation: Evaluation) -> table.Figures | None:
    """What a plan gave, in the table's order; None where it gave nothing that could be kept or compared."""
    one = evaluation.measurement
    if evaluation.verdict not in _FIT or not one.text_bytes or not one.object_bytes or not one.ir_instructions:
        return None
    return one.text_bytes, one.object_bytes, one.ir_instructions


def _tree(
    found: tuple[Evaluation, ...], parents: Mapping[str, Plan], space: Space
) -> list[tuple[int, int | None, tuple[str, ...]]]:
    """Which plan each is an edit of, its figure, and what the edit did."""
    index = {str(one.plan): number for number, one in enumerate(found)}
    rows = []
    for number, one in enumerate(found):
        parent = parents.get(str(one.plan))
        at = index.get(str(parent), -1) if parent is not None else -1
        at = at if at < number else -1  # it was asked for before, as a seed
        words = edit_words(parent, one.plan, space) if parent is not None and at >= 0 else ()
        rows.append((at, one.value if one.verdict in _FIT else None, words))
    return rows


def _cpu_time_s() -> float:
    """Processor time of this process and of all that it has waited for."""
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
