"""`compiler-agent bench size`: clang -Oz against our strategies at equal budgets, per unit of real libraries.

What worked on other units is used by strategies that ask for it alone, from a store that is named, and only what was
learned on training libraries other than the unit's own. `policy`, and the seed plans of the others, were learned on the
training libraries whole: figures of that part are no test of them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from compiler_agent.app.llm import ModelRun
from compiler_agent.app.outcomes import keep_outcomes
from compiler_agent.app.records import Record
from compiler_agent.app.unit import TuneOptions, search_space, strategy_for
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.files import write_json
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.base.store import Store
from compiler_agent.evaluation import libraries, library_build
from compiler_agent.evaluation.evaluate import Evaluator, Objective
from compiler_agent.evaluation.libraries import Part, TranslationUnit
from compiler_agent.evaluation.library_build import plain_compiler
from compiler_agent.llvm.engine import Engine, Measurement
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.knowledge import NOTHING, Knowledge
from compiler_agent.search.loop import SearchResult, search


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
    curves: dict[str, list[int]]
    """The smallest so far after each evaluation, by strategy."""
    neighbours: dict[str, list[str]]
    """Units whose plans the search knew, nearest first, by strategy."""
    cost_usd: dict[str, float | None]
    """What a language model cost, by strategy; None: its price is not known."""

    def ratio(self, strategy: str, n_evaluations: int | None = None) -> float:
        """Baseline divided by candidate, at the end or after so many evaluations."""
        curve = self.curves[strategy][:n_evaluations]
        return self.baseline_text_bytes / (curve[-1] if curve else self.baseline_text_bytes)


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all strategies and units."""

    strategies: tuple[str, ...]
    """Their names."""
    budget: Budget
    """Of each on each unit."""
    seed: int = 0
    """Of each search."""
    known: Path | None = None
    """Directory of a store with what worked on other units; None: nothing is known."""
    learned: Path | None = None
    """Directory of a store where outcomes on training libraries are noted; None: nowhere."""
    asked: ModelRun | None = None
    """The language model, if a strategy asks one."""

    def read_knowledge(self) -> Knowledge:
        """What is known before the benchmark begins.

        Raises:
            UsageError: There is no such store, or none where one is needed, or what is found would be learned again.
        """
        if self.known is None and "neighbours" in self.strategies:
            raise UsageError("`neighbours` needs to know other units", hint="name a store: --knowledge DIRECTORY")
        if self.known is None:
            return NOTHING
        if self.learned is not None:
            raise UsageError("what was found with knowledge is not learned", hint="leave --learn or --knowledge out")
        if not self.known.is_dir():
            raise UsageError(f"there is no store in {self.known}", hint="fill one first: bench size --learn DIRECTORY")
        with Store.open(self.known) as store:
            return Knowledge.read(store, discover().digest, Objective.TEXT_BYTES)


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


def others_training(unit: TranslationUnit) -> Callable[[str], bool]:
    """Whether a unit, by its name, is of a training library other than that of the unit at hand."""
    training = {library.name for library in libraries.load() if library.part is Part.TRAINING} - {unit.library}
    return lambda name: name.partition("/")[0] in training


def measure_unit(
    unit: TranslationUnit, settings: Settings, known: Knowledge = NOTHING, learned: Store | None = None
) -> UnitFigures | None:
    """Runs each strategy on one unit; None for a unit without code."""
    space = search_space(discover())
    known = known.where(others_training(unit))
    record = Record(str(unit.directory), unit.source, "size", tuple(serving_argv(unit)))
    figures = UnitFigures(unit.name, unit.part.value, 0, {}, {}, {}, {}, {}, {}, {}, {}, {})
    for name in settings.strategies:
        # A fresh one for each: no strategy profits from another's objects.
        with Engine(record.argv, record.cwd) as engine:
            evaluator = Evaluator(engine, space.catalog)
            if evaluator.baseline_value == 0:
                return None
            uses_knowledge = name in strategies.USES_KNOWLEDGE
            near = known.nearest(engine.key, engine.target, engine.features) if uses_knowledge else ()
            asked = settings.asked if name in strategies.ASKING else None
            options = TuneOptions(settings.budget, name, settings.seed, asked=asked)
            strategy = strategy_for(record, evaluator, space, options, near, say=_say(unit))
            found = search(strategy, evaluator.evaluate, settings.budget)
            if learned is not None and unit.part is Part.TRAINING:
                keep_outcomes(learned, discover(), evaluator, unit.name, found.evaluations)
        figures = dataclasses.replace(figures, baseline_text_bytes=evaluator.baseline_value)
        _enter(figures, name, found, evaluator)
        figures.neighbours[name] = [one.source for one in near]
        spent = asked.evidence(strategy, found.best) if asked is not None else None
        figures.cost_usd[name] = spent.cost_usd if spent is not None else 0.0
    return figures


def _say(unit: TranslationUnit) -> Callable[[str], None]:
    return lambda text: print(f"{unit.name}: {text}", file=sys.stderr, flush=True)


def _enter(figures: UnitFigures, name: str, found: SearchResult, evaluator: Evaluator) -> None:
    baseline, best = evaluator.baseline, found.best
    kept = best.measurement if best is not None else baseline
    figures.text_bytes[name] = kept.text_bytes or 0
    figures.plans[name] = str(best.plan) if best is not None else ""
    figures.loaded_ratio[name] = _loaded(baseline) / _loaded(kept)
    figures.n_evaluations[name] = len(found.evaluations)
    figures.n_emitted[name] = sum(evaluation.measurement.emitted for evaluation in found.evaluations)
    figures.seconds[name] = found.seconds
    values = (
        one.value if one.value is not None and one.verdict.may_be_kept else evaluator.baseline_value
        for one in found.evaluations
    )
    figures.curves[name] = list(accumulate(values, min))


def _loaded(measured: Measurement) -> int:
    return (measured.text_bytes or 0) + (measured.data_bytes or 0)


def run_bench(
    names: Sequence[str], settings: Settings, jobs: int | None = None, json_file: Path | None = None
) -> list[UnitFigures]:
    """Measures all units of the libraries, in parallel, progress on stderr; the JSON file grows with each unit.

    Raises:
        UsageError: The settings contradict each other.
    """
    known = settings.read_knowledge()
    with ScratchDirectory(prefix="cc-agent-bench-") as directory, contextlib.ExitStack() as stack:
        learned = stack.enter_context(Store.open(settings.learned)) if settings.learned is not None else None
        units = translation_units(names, Path(directory))
        figures: list[UnitFigures] = []

        def work(unit: TranslationUnit) -> UnitFigures | None:
            try:
                return measure_unit(unit, settings, known, learned)
            except CompilerAgentError as error:
                _say(unit)(f"left out: {error}")
                return None

        with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
            for number, result in enumerate(pool.map(work, units), 1):
                if result is not None:
                    figures.append(result)
                    if json_file is not None:
                        write_json(json_file, [dataclasses.asdict(row) for row in figures])
                    shown = " ".join(f"{name} {result.ratio(name):.4f}" for name in settings.strategies)
                    print(
                        f"[{number}/{len(units)}] {result.unit}: {result.baseline_text_bytes} bytes, {shown}",
                        file=sys.stderr,
                        flush=True,
                    )
    return figures
