"""`compiler-agent bench speed`: programs × strategies at equal budgets, against the fastest stock build of each.

What is learned on one program is not used for the next, and training and held-out programs are never summed up as one.
Each figure is in a journal as soon as it is there, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from compiler_agent.app.bench_speed_figures import ProgramFigures
from compiler_agent.app.program import Program
from compiler_agent.app.program_benchmark import of_benchmark
from compiler_agent.app.speed_again import measure_again
from compiler_agent.app.speed_candidates import Rejected
from compiler_agent.app.tune_speed import SpeedOptions, SpeedResult, tune_program
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.base.journal import Journal
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.benchmark import Benchmark, load_all
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.library_driver import driver_units
from compiler_agent.evaluation.machine import this_machine
from compiler_agent.evaluation.pairing import Settings as Measuring
from compiler_agent.evaluation.samples import SampleFile
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search import speed

_EVENT = "program"
MEASURING = Measuring(n_pairs=40, seconds=30.0)
"""Of one comparison: what benchmarks take, 60 ms a run, is seen to half a per cent in so many pairs."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all programs and strategies."""

    budget: Budget
    """Of each strategy on each program: candidates that are timed, or a time."""
    seed: int = 0
    """Of searches, and of what measuring draws."""
    march: str = ""
    """Of all builds, as in "native"; empty: what clang compiles for by itself."""
    pgo: bool = False
    """Whether all builds, baselines too, are given a profile of the timed input."""
    most_seconds: float | None = None
    """A search ends after so long, whatever its budget; None: it does not."""
    again: bool = False
    """Whether only plans that an earlier run kept are measured, and nothing is searched."""

    @property
    def label(self) -> str:
        """A file name for what is measured with them."""
        parts = [f"budget-{self.budget}", f"seed-{self.seed}"]
        parts += ["again"] * self.again
        parts += [self.march] * bool(self.march) + ["pgo"] * self.pgo
        parts += [f"within-{self.most_seconds:g}s"] if self.most_seconds is not None else []
        return "-".join(parts)


def chosen(names: Sequence[str] = (), part: str = "") -> list[Benchmark]:
    """Benchmarks by name, or all of a part, or all.

    Raises:
        UsageError: There is none of that name.
    """
    known = {benchmark.name: benchmark for benchmark in load_all()}
    if unknown := sorted(set(names) - known.keys()):
        raise UsageError(f"there is no benchmark {', '.join(unknown)}", hint=f"choose of {', '.join(known)}")
    picked = [known[name] for name in names] if names else list(known.values())
    return [benchmark for benchmark in picked if part in ("", benchmark.part.value)]


def run_bench(
    benchmarks: Sequence[Benchmark],
    strategies: Sequence[str],
    settings: Settings,
    state: Path,
    *,
    measure: bool = True,
    earlier: Sequence[ProgramFigures] = (),
) -> list[ProgramFigures]:
    """Measures what the journal does not have yet, and returns all figures; progress is on stderr.

    Args:
        benchmarks: The programs.
        strategies: Names of strategies for speed.
        settings: What is the same for all.
        state: A directory for the journal and the raw times.
        measure: False: only what the journal has.
        earlier: A run whose plans are measured, where the settings say so; programs without one are left out. The
            journal may have rows of another run's plans: those are measured anew.

    Raises:
        UsageError: There is no such strategy, or the journal is of another machine.
    """
    for strategy in strategies:
        speed.check_name(strategy)
    machine, toolchain = this_machine(), discover()
    head = {**asdict(settings), "budget": str(settings.budget), "machine": str(machine), "llvm": toolchain.digest}
    journal = Journal(state / f"{settings.label}.jsonl", head)
    samples = SampleFile(state / f"{settings.label}.samples.jsonl", machine)
    kept = {(row.program, row.strategy): row for row in earlier if row.is_win}
    todo = [
        (benchmark, strategy)
        for benchmark in benchmarks
        for strategy in strategies
        if not settings.again or (benchmark.name, strategy) in kept
    ]
    figures = []
    for number, (benchmark, strategy) in enumerate(todo, 1):
        key, first = f"{benchmark.name} {strategy}", kept.get((benchmark.name, strategy))
        if first is not None:
            key += f" {first.baseline}: {first.plan}"
        row = journal.get(_EVENT, key)
        if row is None and measure:
            one = _measured(benchmark, strategy, settings, samples, first)
            row = journal.note(_EVENT, key, **one.to_json())
            _say(f"[{number}/{len(todo)}] {benchmark.name} {strategy}: {one} in {one.seconds:.0f} s")
        if row is not None:
            figures.append(ProgramFigures.from_json(row))
    return figures


def together(
    runs: Sequence[Sequence[ProgramFigures]], benchmarks: Sequence[Benchmark], strategies: Sequence[str]
) -> list[ProgramFigures]:
    """What several runs found on these programs with these strategies, in this order.

    Raises:
        UsageError: Two of them have figures for the same.
    """
    found: dict[tuple[str, str], ProgramFigures] = {}
    for row in (row for run in runs for row in run):
        if found.setdefault((row.program, row.strategy), row) is not row:
            raise UsageError(f"two runs have figures for {row.program} with {row.strategy}")
    order = [(benchmark.name, strategy) for benchmark in benchmarks for strategy in strategies]
    return [found[one] for one in order if one in found]


def _measured(
    benchmark: Benchmark,
    strategy: str,
    settings: Settings,
    samples: SampleFile,
    earlier: ProgramFigures | None = None,
) -> ProgramFigures:
    options = SpeedOptions(
        settings.budget,
        strategy,
        settings.seed,
        SIZES_ONLY,  # the program's outputs are known for each of its inputs
        allow_experimental=True,
        most_seconds=settings.most_seconds,
        settings=MEASURING,
        samples=samples,
        name=f"{benchmark.name} {strategy}",
    )
    try:
        with ScratchDirectory(prefix="cc-agent-bench-") as scratch:
            program = _program(benchmark, settings, Path(scratch))
            if earlier is not None:
                return _again(earlier, program, options)
            return _figures(benchmark, strategy, _tuned(program, options))
    except NotEstablished as error:
        return ProgramFigures(benchmark.name, benchmark.kind, benchmark.part.value, strategy, reason=error.message)


def _program(benchmark: Benchmark, settings: Settings, scratch: Path) -> Program:
    flags = [f"-march={settings.march}"] if settings.march else []
    sources = driver_units(benchmark, scratch / "library", discover()) if benchmark.library else benchmark.units()
    program = of_benchmark(benchmark, discover(), scratch / "plain", flags, sources, settings.seed)
    if settings.pgo:
        profile = program.profile(scratch / "profile")
        flags += profile.flags
        program = of_benchmark(benchmark, discover(), scratch / "profiled", flags, sources, settings.seed)
    return program


def _tuned(program: Program, options: SpeedOptions) -> SpeedResult:
    result = tune_program(program, options, say=lambda text: _say(f"{options.name}: {text}"))
    if result.found.interrupted:  # half a search is no figure
        raise KeyboardInterrupt
    return result


def _again(earlier: ProgramFigures, program: Program, options: SpeedOptions) -> ProgramFigures:
    started_s, say = time.monotonic(), lambda text: _say(f"{options.name}: {text}")
    unkept = ProgramFigures(
        program=earlier.program,
        kind=earlier.kind,
        part=earlier.part,
        strategy=earlier.strategy,
        baseline=earlier.baseline,
        n_candidates=1,
    )
    try:
        found = measure_again(program, Plan.parse(earlier.plan), earlier.baseline, options, say)
    except Rejected as error:
        n_wrong = int(error.verdict is Verdict.MISCOMPILED)
        return replace(unkept, reason=error.message, n_wrong=n_wrong, seconds=time.monotonic() - started_s)
    comparison, speedup = found.comparison, found.comparison.speedup
    measured = replace(
        unkept,
        reason=comparison.reason,
        n_timed=1,
        n_wrong=int(comparison.outcome.refutes),
        seconds=time.monotonic() - started_s,
        cautions=tuple(caution.kind.value for caution in comparison.cautions),
    )
    if speedup is None:
        return measured
    return replace(
        measured,
        speedup=speedup.median,
        low=speedup.low,
        high=speedup.high,
        plan=earlier.plan,
        size_ratio=found.size_ratio,
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _figures(benchmark: Benchmark, strategy: str, result: SpeedResult) -> ProgramFigures:
    kept, found = result.best, result.found
    measured = result.confirmed.speedup if result.confirmed else None
    return ProgramFigures(
        program=benchmark.name,
        kind=benchmark.kind,
        part=benchmark.part.value,
        strategy=strategy,
        baseline=result.stock.level,
        stock=result.stock.speedups,
        speedup=measured.median if measured else 1.0,
        low=measured.low if measured else 1.0,
        high=measured.high if measured else 1.0,
        plan=str(kept.candidate.plan) if kept else "",
        reason="; ".join(one.reason for one in result.refused),
        n_candidates=found.n_asked,
        n_timed=len(found.timed),
        n_wrong=found.n_wrong,
        size_ratio=result.text_bytes / kept.candidate.text_bytes if kept else 1.0,
        seconds=result.seconds,
        front=result.front,
        cautions=tuple(caution.kind.value for caution in result.stock.session.cautions),
    )
