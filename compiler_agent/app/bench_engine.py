"""`compiler-agent bench engine`: our evaluations against processes of opt and llc, same plans, same run.

Both sides evaluate one plan at a time, in turns, so the figures are per core. Both get what happens once per unit for
nothing: we our parsed source, the processes their bitcode. Generous to the processes: what it takes us to start an
empty program is subtracted from each of theirs, and nobody reads the sizes of their objects.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app import bench_engine_plans as plans_of
from compiler_agent.app.bench_engine_processes import Processes
from compiler_agent.app.bench_size import serving_argv, translation_units
from compiler_agent.app.unit import search_space
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.llvm.engine import Engine, Measurement, Outcome
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.space import Space

# From about 200 to 22,000 IR instructions before optimization, C and C++, training and held-out libraries.
UNITS = (
    "zlib/uncompr.c",
    "zlib/adler32.c",
    "bzip2/huffman.c",
    "zlib/trees.c",
    "zlib/deflate.c",
    "tinyxml2/tinyxml2.cpp",
    "lua/lvm.c",
    "expat/lib/xmlparse.c",
)
WHOLE, SHORT, EVOLVE, GREEDY = "whole", "short", "evolve", "greedy"
KINDS = (WHOLE, SHORT, EVOLVE, GREEDY)
TARGETS = {WHOLE: 1.5, EVOLVE: 1.5, SHORT: 5.0, GREEDY: 5.0}
EMITS = {WHOLE: True, EVOLVE: True, SHORT: False, GREEDY: False}

ALONE, KNOWN, SHARED = "alone", "known", "shared"
# What the engine may take from earlier evaluations: nothing, equal modules' objects, equal beginnings' runs as well.
OPTIONS: Mapping[str, Mapping[str, bool]] = {
    ALONE: {"share": False, "fresh": True},
    KNOWN: {"share": False, "fresh": False},
    SHARED: {"share": True, "fresh": False},
}
WAYS = {WHOLE: (ALONE,), SHORT: (ALONE,), EVOLVE: (ALONE, KNOWN, SHARED), GREEDY: (ALONE, SHARED)}


@dataclass(frozen=True, slots=True)
class Ours:
    """The engine's figures on one stream of plans."""

    wall_time_s: tuple[float, ...]
    """Time on the clock of each evaluation, in seconds."""
    cpu_time_s: float
    """User and system time of all, in seconds; the kernel counts it in hundredths."""
    n_known: int
    """Evaluations that did not have to make an object, because an equal module's was known."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides on the same plans for one translation unit."""

    unit: str
    """Library and source."""
    kind: str
    """One of KINDS."""
    ir_instructions: int
    """Before optimization."""
    processes_s: tuple[float, ...]
    """Each plan by processes, in seconds, without what it takes to start an empty program."""
    processes_cpu_s: float
    """User and system time of all of them, in seconds."""
    ours: Mapping[str, Ours]
    """By what the engine took from earlier evaluations, the last one is what a search gets."""
    n_agreed: int
    """Plans for which both sides counted the same IR instructions; counted where no objects are made."""

    def ratio(self, way: str | None = None) -> float:
        """Evaluations per second: ours divided by that of processes, over all plans."""
        return sum(self.processes_s) / sum(self._ours(way).wall_time_s)

    def cpu_ratio(self, way: str | None = None) -> float:
        """As `ratio`, in processor time: what a core can do when others do not disturb it."""
        return self.processes_cpu_s / max(self._ours(way).cpu_time_s, 0.01)

    def spread(self, way: str | None = None) -> tuple[float, float]:
        """The least and the greatest ratio of a single plan."""
        each = [theirs / ours for ours, theirs in zip(self._ours(way).wall_time_s, self.processes_s, strict=True)]
        return min(each), max(each)

    def _ours(self, way: str | None) -> Ours:
        return self.ours[way or WAYS[self.kind][-1]]


@dataclass(frozen=True, slots=True)
class EngineReport:
    """All figures of one run."""

    comparisons: tuple[Comparison, ...]
    """One for each unit and kind."""

    def of(self, kind: str) -> list[Comparison]:
        """Those of one kind."""
        return [row for row in self.comparisons if row.kind == kind]

    def misses(self) -> list[str]:
        """What is below its target, in words."""
        return [
            f"{row.unit}, {row.kind}: {row.ratio():.2f} is below {TARGETS[row.kind]}"
            for row in self.comparisons
            if row.ratio() < TARGETS[row.kind]
        ]


def run_bench(names: Sequence[str], n_plans: int, n_searched: int, seed: int) -> EngineReport:
    """Measures the units that are named, one after the other, progress on stderr.

    Args:
        names: As `UNITS`.
        n_plans: Plans that are drawn, of each kind for each unit.
        n_searched: Plans that each of the two searches may ask for.
        seed: Draws the plans, and is the searches'.
    """
    space = search_space(discover())
    comparisons: list[Comparison] = []
    with ScratchDirectory(prefix="cc-agent-bench-") as scratch:
        libraries = sorted({name.partition("/")[0] for name in names})
        units = {unit.name: unit for unit in translation_units(libraries, Path(scratch))}
        for name in names:
            if name not in units:
                raise CompilerAgentError(f"there is no translation unit {name}", hint=f"one of: {', '.join(units)}")
            for kind in KINDS:
                n = n_plans if kind in (WHOLE, SHORT) else n_searched
                comparisons.append(compare(units[name], kind, space, n, seed, Path(scratch)))
                row = comparisons[-1]
                print(f"{name}, {kind}: {row.ratio():.2f}, cpu {row.cpu_ratio():.2f}", file=sys.stderr, flush=True)
    return EngineReport(tuple(comparisons))


def compare(unit: TranslationUnit, kind: str, space: Space, n_plans: int, seed: int, scratch: Path) -> Comparison:
    """Measures one unit with plans of one kind, both sides in turns."""
    processes = Processes(unit, scratch)
    with Engine(serving_argv(unit), unit.directory) as drawing:
        plans = draw(drawing, kind, space, n_plans, seed, unit.name)
    ways = WAYS[kind]
    theirs: list[float] = []
    theirs_cpu_s = 0.0
    n_agreed = 0
    clocks: dict[str, list[float]] = {way: [] for way in ways}
    cpu_s = dict.fromkeys(ways, 0.0)
    n_known = dict.fromkeys(ways, 0)
    with ExitStack() as stack:  # an engine for each way, none of which has seen a plan
        engines = {way: stack.enter_context(Engine(serving_argv(unit), unit.directory)) for way in ways}
        n_instructions = engines[ways[0]].ir_instructions
        for engine in engines.values():
            engine.measure("", emit=False)  # wakes it up
        for plan in plans:
            taken = processes.evaluate(plan, emit=EMITS[kind])
            measured = {way: _timed(engines[way], plan, space, kind, way) for way in ways}
            if taken is None or any(each.outcome is not Outcome.OK for each, _, _ in measured.values()):
                continue  # nothing to compare: one side failed
            theirs.append(taken.wall_time_s)
            theirs_cpu_s += taken.cpu_time_s
            n_agreed += taken.ir_instructions == measured[ways[0]][0].ir_instructions
            for way, (each, wall_time_s, cpu_time_s) in measured.items():
                clocks[way].append(wall_time_s)
                cpu_s[way] += cpu_time_s
                n_known[way] += EMITS[kind] and not each.emitted
    if not theirs:
        raise CompilerAgentError(f"{unit.name}: no plan could be measured on both sides", hint="give more --plans")
    ours = {way: Ours(tuple(clocks[way]), cpu_s[way], n_known[way]) for way in ways}
    return Comparison(unit.name, kind, n_instructions, tuple(theirs), theirs_cpu_s, ours, n_agreed)


def draw(engine: Engine, kind: str, space: Space, n_plans: int, seed: int, name: str) -> list[Plan]:
    """The plans of one kind for a unit: the same for a seed."""
    rng = random.Random(f"{seed} {kind} {name}")
    if kind == WHOLE:
        return plans_of.whole(engine, space, rng, n_plans)
    if kind == SHORT:
        return plans_of.short(engine, space, rng, n_plans)
    if kind == GREEDY:
        return plans_of.greedy(engine, space, rng, n_plans)
    return plans_of.evolve(engine, space, seed, n_plans)


def _timed(engine: Engine, plan: Plan, space: Space, kind: str, way: str) -> tuple[Measurement, float, float]:
    """An evaluation, its seconds on the clock, and its processor time in seconds."""
    late = space.catalog.late_options(plan)
    before_s = _cpu_time(engine)
    start = time.perf_counter()
    measured = engine.measure(str(plan), late=late, emit=EMITS[kind], identify=EMITS[kind], **OPTIONS[way])
    wall_time_s = time.perf_counter() - start
    return measured, wall_time_s, max(_cpu_time(engine) - before_s, 0.0)


def _cpu_time(engine: Engine) -> float:
    """User and system time so far of the serving clang, its evaluations, and what waits for it, in seconds."""
    waiting = Path(f"/proc/{engine.process}/task/{engine.process}/children").read_text().split()
    ticks = 0
    for process in (engine.process, *waiting):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
