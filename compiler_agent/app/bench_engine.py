"""`compiler-agent bench engine`: our evaluations against processes of opt and llc, same plans, same run.

Both sides evaluate one plan at a time, in turns, so the figures are per core. Both get what happens once per unit for
nothing: we our parsed source, the processes their bitcode. Generous to the processes: what it takes us to start an
empty program is subtracted from each of theirs, and nobody reads the sizes of their objects.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_size import geometric_mean, serving_argv, translation_units
from compiler_agent.app.libraries import TranslationUnit
from compiler_agent.app.unit import search_space
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import Completed, run
from compiler_agent.evaluation.evaluate import Evaluator
from compiler_agent.llvm.engine import Engine, Outcome
from compiler_agent.llvm.pipeline import Level, Node, Pipeline
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import strategies
from compiler_agent.search.loop import search
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
WHOLE_TARGET = 1.5
SHORT_TARGET = 5.0
_SHORT_PASSES = 5
_TIMEOUT_S = 120.0
# A plan that gives a module that was seen already, or that fails, is drawn again, so many times per plan wanted.
_DRAWS = 8
_COUNT = re.compile(rb"^TotalInstructionCount: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both sides on the same plans for one translation unit."""

    unit: str
    """Library and source."""
    kind: str
    """`whole`: pipelines of the stock one's size, with an object; `short`: up to five passes, instructions counted."""
    ir_instructions: int
    """Before optimization."""
    ours_s: tuple[float, ...]
    """Time on the clock of each evaluation by the engine, in seconds."""
    processes_s: tuple[float, ...]
    """The same plans by processes, in seconds, without what it takes to start an empty program."""
    ours_cpu_s: float
    """User and system time of all our evaluations, in seconds; the kernel counts it in hundredths."""
    processes_cpu_s: float
    """The same of the processes, without what it takes to start an empty program."""
    n_agreed: int
    """Plans for which both sides counted the same IR instructions; counted for short pipelines only."""

    @property
    def ratio(self) -> float:
        """Evaluations per second: ours divided by that of processes, over all plans."""
        return sum(self.processes_s) / sum(self.ours_s)

    @property
    def cpu_ratio(self) -> float:
        """As `ratio`, in processor time: what a core can do when others do not disturb it."""
        return self.processes_cpu_s / max(self.ours_cpu_s, 0.01)

    @property
    def spread(self) -> tuple[float, float]:
        """The least and the greatest ratio of a single plan."""
        each = [theirs / ours for ours, theirs in zip(self.ours_s, self.processes_s, strict=True)]
        return min(each), max(each)


@dataclass(frozen=True, slots=True)
class Deduplication:
    """What recognising equal modules saved in one `evolve` search."""

    unit: str
    """Library and source."""
    n_emitted: int
    """Evaluations that made an object."""
    n_known: int
    """Evaluations whose module was known, so that none was made."""
    emitted_s: float
    """Mean time of an evaluation that made an object, in seconds."""
    known_s: float
    """Mean time of one that did not, in seconds."""

    @property
    def saved(self) -> float:
        """The share of the time that it would have taken otherwise."""
        would = (self.n_emitted + self.n_known) * self.emitted_s
        return self.n_known * (self.emitted_s - self.known_s) / would if would else 0.0


@dataclass(frozen=True, slots=True)
class EngineReport:
    """All figures of one run."""

    comparisons: tuple[Comparison, ...]
    """Two for each unit: `whole` and `short`."""
    deduplication: tuple[Deduplication, ...]
    """One for each unit on which `evolve` was run."""

    def misses(self) -> list[str]:
        """What is below its target, in words."""
        return [
            f"{row.unit}, {row.kind}: {row.ratio:.2f} is below {target(row.kind)}"
            for row in self.comparisons
            if row.ratio < target(row.kind)
        ]


def target(kind: str) -> float:
    """The ratio that is wanted."""
    return WHOLE_TARGET if kind == "whole" else SHORT_TARGET


def run_bench(names: Sequence[str], n_plans: int, evolve: Budget, seed: int) -> EngineReport:
    """Measures the units that are named, one after the other, progress on stderr.

    Args:
        names: As `UNITS`.
        n_plans: Plans of each kind for each unit.
        evolve: Budget of the search on which deduplication is measured.
        seed: Draws the plans, and is the search's.
    """
    space = search_space(discover())
    comparisons: list[Comparison] = []
    deduplication: list[Deduplication] = []
    with tempfile.TemporaryDirectory(prefix="cc-agent-bench-") as scratch:
        libraries = sorted({name.partition("/")[0] for name in names})
        units = {unit.name: unit for unit in translation_units(libraries, Path(scratch))}
        for name in names:
            if name not in units:
                raise CompilerAgentError(f"there is no translation unit {name}", hint=f"one of: {', '.join(units)}")
            unit = units[name]
            for kind in ("whole", "short"):
                row = compare(unit, kind, space, n_plans, seed, Path(scratch))
                comparisons.append(row)
                print(f"{name}, {kind}: {row.ratio:.2f}", file=sys.stderr, flush=True)
            deduplication.append(measure_deduplication(unit, space, evolve, seed))
    return EngineReport(tuple(comparisons), tuple(deduplication))


def compare(unit: TranslationUnit, kind: str, space: Space, n_plans: int, seed: int, scratch: Path) -> Comparison:
    """Measures one unit with plans of one kind, both sides in turns."""
    rng = random.Random(f"{seed} {kind} {unit.name}")
    empty = sorted((run(["true"], timeout_s=_TIMEOUT_S) for _ in range(9)), key=lambda each: each.wall_time_s)[4]
    bitcode = _bitcode(unit, scratch)
    with Engine(serving_argv(unit), unit.directory) as engine:
        plans = _usable_plans(engine, space, kind, rng, n_plans)
        ours: list[float] = []
        theirs: list[float] = []
        ours_cpu_s = theirs_cpu_s = 0.0
        n_agreed = 0
        for plan, in_processes in _in_processes(plans, kind, bitcode, empty):
            cpu_before_s = _cpu_time(engine)
            start = time.perf_counter()
            measured = engine.measure(str(plan), emit=kind == "whole")
            took = time.perf_counter() - start
            cpu_s = _cpu_time(engine) - cpu_before_s
            if measured.outcome is not Outcome.OK or in_processes is None or (kind == "whole" and not measured.emitted):
                continue  # nothing to compare: one side failed, or did not have to do the work
            ours.append(took)
            theirs.append(in_processes[0])
            ours_cpu_s += cpu_s
            theirs_cpu_s += in_processes[1]
            n_agreed += in_processes[2] == measured.ir_instructions
    if not ours:
        raise CompilerAgentError(f"{unit.name}: no plan could be measured on both sides", hint="give more --plans")
    n_instructions = engine.ir_instructions
    return Comparison(unit.name, kind, n_instructions, tuple(ours), tuple(theirs), ours_cpu_s, theirs_cpu_s, n_agreed)


def _cpu_time(engine: Engine) -> float:
    """User and system time of the serving clang and of its evaluations so far, in seconds."""
    fields = Path(f"/proc/{engine._child.pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def measure_deduplication(unit: TranslationUnit, space: Space, budget: Budget, seed: int) -> Deduplication:
    """Runs `evolve` on a unit and tells the evaluations that made an object from those that did not have to."""
    with Engine(serving_argv(unit), unit.directory) as engine:
        evaluator = Evaluator(engine, space.catalog)
        found = search(strategies.make("evolve", space, seed), evaluator.evaluate, budget)
    measured = [evaluation.measurement for evaluation in found.evaluations]
    emitted = [each.wall_time_s for each in measured if each.outcome is Outcome.OK and each.emitted]
    known = [each.wall_time_s for each in measured if each.outcome is Outcome.OK and not each.emitted]
    return Deduplication(unit.name, len(emitted), len(known), _mean(emitted), _mean(known))


def _usable_plans(engine: Engine, space: Space, kind: str, rng: random.Random, n_plans: int) -> list[Plan]:
    """Plans that work and give modules that differ, so that neither side profits from having seen one."""
    plans: dict[str, Plan] = {}
    for _ in range(_DRAWS * n_plans):
        plan = _whole(space, rng) if kind == "whole" else _short(space, rng)
        measured = engine.measure(str(plan), emit=False)  # also wakes both up: nothing of this is timed
        if measured.outcome is Outcome.OK:
            plans.setdefault(measured.fingerprint if kind == "whole" else str(plan), plan)
        if len(plans) == n_plans:
            break
    return list(plans.values())


def _whole(space: Space, rng: random.Random) -> Plan:
    """The stock pipeline with a few edits. No LLVM options: opt and llc need not know the ones that clang does."""
    plan = strategies.STOCK
    for _ in range(rng.randint(2, 6)):
        plan = space.edit_pipeline(plan, rng)
    return plan


def _short(space: Space, rng: random.Random) -> Plan:
    nodes: list[Node] = []
    while not nodes:
        drawn = [rng.choice(space.passes).nested(Level.MODULE) for _ in range(rng.randint(1, _SHORT_PASSES))]
        nodes = [node for node in drawn if node is not None]
    return Plan(Pipeline(tuple(nodes)))


def _bitcode(unit: TranslationUnit, scratch: Path) -> Path:
    """What clang hands its first pass, as a file."""
    path = scratch / "unit.bc"
    clang = serving_argv(unit)
    command = [*clang[:-4], "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", "-o", str(path), clang[-1]]
    done = run(command, cwd=unit.directory, timeout_s=_TIMEOUT_S)
    if done.status != 0:
        raise CompilerAgentError(f"{unit.name} does not compile: {done.stderr.decode(errors='replace')[-500:]}")
    return path


def _in_processes(
    plans: Sequence[Plan], kind: str, bitcode: Path, empty: Completed
) -> Iterator[tuple[Plan, tuple[float, float, int] | None]]:
    """Each plan with the seconds that processes took, on the clock and of processor time, and the instructions they
    counted; None where they failed.
    """
    toolchain = discover()
    optimized, made = bitcode.with_suffix(".opt.bc"), bitcode.with_suffix(".o")
    for plan in plans:
        # opt has no cheaper way to count than this printer: LLVM's statistics are compiled out of release builds.
        counting = "" if kind == "whole" else ",function(print<func-properties>)"
        output = ["-o", optimized] if kind == "whole" else ["-disable-output"]
        steps = [[toolchain.opt, f"-passes={plan.pipeline}{counting}", *output, bitcode]]
        if kind == "whole":
            steps.append([toolchain.llc, "-O2", "-filetype=obj", "--relocation-model=pic", "-o", made, optimized])
        done: list[Completed] = []
        for step in steps:
            done.append(run(step, timeout_s=_TIMEOUT_S))
            if done[-1].status != 0:
                break
        if done[-1].status != 0:
            yield plan, None
            continue
        seconds = sum(max(each.wall_time_s - empty.wall_time_s, 1e-6) for each in done)
        cpu_s = sum(max(each.cpu_time_s - empty.cpu_time_s, 0.0) for each in done)
        yield plan, (seconds, cpu_s, sum(int(count) for count in _COUNT.findall(done[0].stderr)))


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def render(report: EngineReport, console: Console) -> None:
    """Prints the figures of both kinds, what deduplication adds, and the targets."""
    titles = {
        "whole": "pipelines of the stock one's size, with the object's size: ours against opt and llc",
        "short": f"pipelines of up to {_SHORT_PASSES} passes, instructions counted: ours against opt",
    }
    for kind, title in titles.items():
        table = Table(title=title)
        for column in (
            "unit",
            "IR instructions",
            "plans",
            "ours /s",
            "processes /s",
            "ratio",
            "min",
            "max",
            "cpu ratio",
            "same count",
        ):
            table.add_column(column, justify="left" if column == "unit" else "right")
        rows = [row for row in report.comparisons if row.kind == kind]
        for row in rows:
            n, (least, greatest) = len(row.ours_s), row.spread
            table.add_row(
                row.unit,
                str(row.ir_instructions),
                str(n),
                f"{n / sum(row.ours_s):.1f}",
                f"{n / sum(row.processes_s):.1f}",
                f"{row.ratio:.2f}",
                f"{least:.2f}",
                f"{greatest:.2f}",
                f"{row.cpu_ratio:.2f}",
                f"{row.n_agreed} of {n}" if kind == "short" else "-",
            )
        console.print(table)
        ratios = [row.ratio for row in rows]
        console.print(
            f"{kind}: geomean {geometric_mean(ratios):.2f}, median {statistics.median(ratios):.2f}, "
            f"min {min(ratios):.2f}; target at least {target(kind)} on each"
        )
    table = Table(title="evolve: modules that were known and not emitted again (common prefixes are not shared)")
    for column in ("unit", "evaluations", "known", "emitted ms", "known ms", "time saved"):
        table.add_column(column, justify="left" if column == "unit" else "right")
    for saving in report.deduplication:
        n = saving.n_emitted + saving.n_known
        table.add_row(
            saving.unit,
            str(n),
            f"{saving.n_known / n:.0%}" if n else "-",
            f"{1000 * saving.emitted_s:.1f}",
            f"{1000 * saving.known_s:.1f}",
            f"{saving.saved:.0%}",
        )
    console.print(table)
