"""`compiler-agent bench size`: clang -Oz against our strategies at equal budgets, per unit of real libraries."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy
from rich.console import Console
from rich.table import Table

from compiler_agent.app import libraries, library_build
from compiler_agent.app.libraries import TranslationUnit
from compiler_agent.app.library_agent import plain_compiler
from compiler_agent.app.unit import search_space
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation.evaluate import Evaluator
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.loop import search


@dataclass(frozen=True, slots=True)
class UnitFigures:
    """One translation unit's figures."""

    unit: str
    """Library and source."""
    part: str
    """training or held-out."""
    baseline_text_bytes: int
    """clang -Oz."""
    text_bytes: dict[str, int]
    """By strategy; the baseline's where nothing better was found, which is what the wrapper ships."""
    loaded_ratio: dict[str, float]
    """Text and data of the baseline divided by the candidate's, by strategy."""
    n_evaluations: dict[str, int]
    """By strategy."""
    n_emitted: dict[str, int]
    """Objects that were really made, by strategy: the others were recognised as known."""
    seconds: dict[str, float]
    """By strategy."""
    plans: dict[str, str]
    """The winners, by strategy."""

    def ratio(self, strategy: str) -> float:
        """Baseline divided by candidate."""
        return self.baseline_text_bytes / self.text_bytes[strategy]


def translation_units(names: Sequence[str], directory: Path) -> list[TranslationUnit]:
    """Configures the libraries that are named and lists their units."""
    found: list[TranslationUnit] = []
    for library in libraries.select(libraries.load(), names):
        found += library_build.configured_units(library, directory / library.name, plain_compiler(discover()))
    return found


def serving_argv(unit: TranslationUnit) -> list[str]:
    """The command that serves evaluations of a unit at -Oz."""
    toolchain = discover()
    clang = toolchain.clangxx if unit.language == "c++" else toolchain.clang
    return [str(clang), "-Qunused-arguments", "-Oz", *unit.argv[:-1], "-c", "-o", "-", unit.argv[-1]]


def measure_unit(unit: TranslationUnit, names: Sequence[str], budget: Budget, seed: int) -> UnitFigures | None:
    """Runs each strategy on one unit; None for a unit without code."""
    space = search_space(discover())
    text, loaded, evaluations, emitted, seconds, plans = {}, {}, {}, {}, {}, {}
    baseline = 0
    for name in names:
        # A fresh one for each: no strategy profits from another's objects.
        with Engine(serving_argv(unit), unit.directory) as engine:
            evaluator = Evaluator(engine, space.catalog)
            baseline = evaluator.baseline_value
            if baseline == 0:
                return None
            found = search(strategies.make(name, space, seed), evaluator.evaluate, budget)
        best = found.best
        text[name] = best.value if best is not None and best.value is not None else baseline
        plans[name] = str(best.plan) if best is not None else ""
        loaded[name] = 1.0
        if best is not None:
            ours = (best.measurement.text_bytes or 0) + (best.measurement.data_bytes or 0)
            loaded[name] = (baseline + (evaluator.baseline.data_bytes or 0)) / ours
        evaluations[name] = len(found.evaluations)
        emitted[name] = sum(evaluation.measurement.emitted for evaluation in found.evaluations)
        seconds[name] = found.seconds
    return UnitFigures(unit.name, unit.part.value, baseline, text, loaded, evaluations, emitted, seconds, plans)


def run_bench(
    names: Sequence[str],
    strategy_names: Sequence[str],
    budget: Budget,
    seed: int,
    jobs: int | None = None,
    json_file: Path | None = None,
) -> list[UnitFigures]:
    """Measures all units of the libraries, in parallel, progress on stderr; the JSON file grows with each unit."""
    with tempfile.TemporaryDirectory(prefix="cc-agent-bench-") as directory:
        units = translation_units(names, Path(directory))
        figures: list[UnitFigures] = []

        def work(unit: TranslationUnit) -> UnitFigures | None:
            try:
                return measure_unit(unit, strategy_names, budget, seed)
            except CompilerAgentError as error:
                print(f"{unit.name}: left out: {error}", file=sys.stderr)
                return None

        with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
            for number, result in enumerate(pool.map(work, units), 1):
                if result is not None:
                    figures.append(result)
                    if json_file is not None:
                        json_file.write_text(json.dumps([dataclasses.asdict(row) for row in figures], indent=1) + "\n")
                    shown = " ".join(f"{name} {result.ratio(name):.4f}" for name in strategy_names)
                    print(
                        f"[{number}/{len(units)}] {result.unit}: {result.baseline_text_bytes} bytes, {shown}",
                        file=sys.stderr,
                        flush=True,
                    )
    return figures


def geometric_mean(ratios: Iterable[float]) -> float:
    """The geometric mean of ratios."""
    return float(numpy.exp(numpy.mean(numpy.log(list(ratios)))))


def render(figures: Sequence[UnitFigures], strategy_names: Sequence[str], console: Console) -> None:
    """Prints the table per unit, and the summary of training and held-out units apart."""
    units = Table(title="text_bytes: clang -Oz ÷ cc-agent")
    for title in ("unit", "part", "clang -Oz", *strategy_names):
        units.add_column(title, justify="left" if title in ("unit", "part") else "right")
    for row in figures:
        units.add_row(
            row.unit, row.part, str(row.baseline_text_bytes), *(f"{row.ratio(name):.4f}" for name in strategy_names)
        )
    console.print(units)
    summary = Table(title="summary, one figure per translation unit")
    for title in (
        "part",
        "units",
        "strategy",
        "geomean",
        "median",
        "min",
        "max",
        "total bytes",
        "text+data",
        "evaluations",
        "made",
        "seconds",
    ):
        summary.add_column(title, justify="right")
    for part in ("training", "held-out"):
        chosen = [row for row in figures if row.part == part]
        for name in strategy_names if chosen else ():
            ratios = [row.ratio(name) for row in chosen]
            summary.add_row(
                part,
                str(len(chosen)),
                name,
                f"{geometric_mean(ratios):.4f}",
                f"{float(numpy.median(ratios)):.4f}",
                f"{min(ratios):.4f}",
                f"{max(ratios):.4f}",
                f"{sum(row.baseline_text_bytes for row in chosen) / sum(row.text_bytes[name] for row in chosen):.4f}",
                f"{geometric_mean(row.loaded_ratio[name] for row in chosen):.4f}",
                str(sum(row.n_evaluations[name] for row in chosen)),
                str(sum(row.n_emitted[name] for row in chosen)),
                f"{sum(row.seconds[name] for row in chosen):.0f}",
            )
    console.print(summary)
