"""`compiler-agent bench replay`: what a build costs through cc-agent, against plain clang -Oz in the same run.

Whole library builds with one job, in turns (plain, no entry, stock plans, full lock, plain, ...), user and system time
of all their programs; each round gives one ratio per way. The lock with stock plans shows what replay costs: a plan
that was searched has passes of its own, which may be cheaper or dearer than clang's.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from compiler_agent.app import tune
from compiler_agent.app.library_judge import read_decisions
from compiler_agent.app.records import Record, read_records
from compiler_agent.app.unit import TuneOptions
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base import lock as locks
from compiler_agent.base.config import Budget, native_directory
from compiler_agent.base.errors import CompilerAgentError, NotEstablished
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import libraries, library_build
from compiler_agent.evaluation.evaluate import stock_plan
from compiler_agent.evaluation.libraries import Library
from compiler_agent.evaluation.library_build import plain_compiler
from compiler_agent.evaluation.library_fetch import prepare
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover

LIBRARIES = ("zlib", "bzip2")
FULL, STOCK, NONE = "full lock", "stock plans", "no entry"
_DECISION = {FULL: "replayed", STOCK: "replayed"}
TARGETS = {FULL: 1.03, NONE: 1.02}
"""Most that a way may cost, as a ratio to plain clang; `STOCK` only explains `FULL`."""
LAUNCH_TARGET_S = 0.010
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class BuildRatios:
    """One library, built plainly and in one way through cc-agent, in turns."""

    library: str
    """Its name."""
    way: str
    """FULL, STOCK or NONE."""
    n_compilations: int
    """Compilations of a build."""
    plain_s: tuple[float, ...]
    """User and system time of each plain build, in seconds."""
    ours_s: tuple[float, ...]
    """The same of the build through cc-agent in the same round."""

    @property
    def ratios(self) -> list[float]:
        """One for each round: ours divided by plain."""
        return [ours / plain for plain, ours in zip(self.plain_s, self.ours_s, strict=True)]


@dataclass(frozen=True, slots=True)
class LaunchCost:
    """What an invocation that compiles nothing costs, in turns with clang itself."""

    arguments: tuple[str, ...]
    """After the compiler's name."""
    clang_s: float
    """Median time on the clock, in seconds."""
    ours_s: float
    """The same through the launcher."""

    @property
    def added_s(self) -> float:
        """What the launcher adds, in seconds."""
        return self.ours_s - self.clang_s


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """All figures of one run."""

    builds: tuple[BuildRatios, ...]
    """Three for each library."""
    launches: tuple[LaunchCost, ...]
    """One for each kind of invocation."""

    def misses(self) -> list[str]:
        """What costs more than its target, in words."""
        slow = [
            f"{row.library}, {row.way}: {statistics.median(row.ratios):.3f} is above {TARGETS[row.way]}"
            for row in self.builds
            if row.way in TARGETS and statistics.median(row.ratios) > TARGETS[row.way]
        ]
        return slow + [
            f"{' '.join(launch.arguments)}: {1000 * launch.added_s:.1f} ms added, above {1000 * LAUNCH_TARGET_S:.0f}"
            for launch in self.launches
            if launch.added_s > LAUNCH_TARGET_S
        ]


def run_bench(names: Sequence[str], rounds: int, budget: Budget) -> ReplayReport:
    """Measures the libraries, one after the other, and the launcher; progress on stderr.

    Args:
        names: Libraries.
        rounds: Builds of each kind.
        budget: Of the search that fills the lock, per translation unit.

    Raises:
        NotEstablished: A build with a full lock did not replay every compilation, so nothing was measured.
    """
    builds: list[BuildRatios] = []
    with ScratchDirectory(prefix="cc-agent-bench-") as scratch:
        for library in libraries.select(libraries.load(), names):
            builds += measure_library(library, Path(scratch) / library.name, rounds, budget)
        source = Path(scratch) / "empty.c"
        source.write_text("int main(void) { return 0; }\n")
        launches = [measure_launch(arguments, 4 * rounds) for arguments in (("--version",), ("-E", str(source)))]
    return ReplayReport(tuple(builds), tuple(replace(each, arguments=each.arguments[:1]) for each in launches))


def measure_library(library: Library, place: Path, rounds: int, budget: Budget) -> list[BuildRatios]:
    """Fills the locks from one recorded build, then builds in turns."""
    place.mkdir(parents=True)
    pristine, directory = place / "pristine", place / "build"
    prepare(library, pristine)
    plain_clang = plain_compiler(discover())
    configured = library_build.configure(library, pristine, plain_clang)
    if not configured.passed:
        raise CompilerAgentError(f"{library.name}: configure {configured.reason}\n{configured.tail()}")
    # Always the same directory: the path of a build is in its objects and its commands.
    records = _record(library, pristine, directory, place / "records.jsonl")
    ways = {way: place / f"{way.replace(' ', '-')}.lock" for way in (NONE, STOCK, FULL)}
    _fill(ways, records, budget)
    plain: list[float] = []
    ours: dict[str, list[float]] = {way: [] for way in ways}
    _build(library, pristine, directory, plain_clang)  # untimed: the caches are warm for everybody
    n_compilations = 0
    for number in range(rounds):
        plain.append(_build(library, pristine, directory, plain_clang))
        for way, lock in ways.items():
            log = place / "log.jsonl"
            log.unlink(missing_ok=True)
            ours[way].append(
                _build(library, pristine, directory, _agent(CC_AGENT_LOCK=str(lock), CC_AGENT_LOG=str(log)))
            )
            n_compilations = _check(library, way, log, len(records))
        shown = ", ".join(f"{way} {seconds[-1] / plain[-1]:.3f}" for way, seconds in ours.items())
        print(f"{library.name} [{number + 1}/{rounds}]: {shown}", file=sys.stderr, flush=True)
    return [BuildRatios(library.name, way, n_compilations, tuple(plain), tuple(times)) for way, times in ours.items()]


def measure_launch(arguments: tuple[str, ...], rounds: int) -> LaunchCost:
    """Times an invocation of clang and of the launcher in turns, on the clock."""
    commands = ([str(discover().clang), *arguments], [str(native_directory() / "bin" / "cc-agent"), *arguments])
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for command, seconds in zip(commands, times, strict=True):
            done = run(command, timeout_s=_TIMEOUT_S)
            if done.status != 0:
                raise CompilerAgentError(f"{' '.join(command)} failed: {done.stderr.decode(errors='replace')[-500:]}")
            seconds.append(done.wall_time_s)
    return LaunchCost(arguments, statistics.median(times[0]), statistics.median(times[1]))


def _agent(**variables: str) -> library_build.Compiler:
    launcher = native_directory() / "bin"
    environment: Mapping[str, str] = {"CC_AGENT_MODE": "replay", **variables}
    return library_build.Compiler(
        str(launcher / "cc-agent"), str(launcher / "cc-agent++"), "-O-agent=size", environment
    )


def _build(library: Library, pristine: Path, directory: Path, compiler: library_build.Compiler) -> float:
    """Builds a fresh copy of the configured sources; returns user and system time of all programs, in seconds."""
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(pristine, directory, symlinks=True)
    if library.system == "configure":  # what configure wrote into the makefiles names clang
        step = library_build.configure(library, directory, compiler, jobs=1)
        if not step.passed:
            raise CompilerAgentError(f"{library.name}: configure {step.reason}\n{step.tail()}")
    log = compiler.environment.get("CC_AGENT_LOG")
    if log is not None and os.path.exists(log):
        os.unlink(log)  # configure's own compilations are no part of the build
    step = library_build.build(library, directory, compiler, jobs=1)
    if not step.passed:
        raise CompilerAgentError(f"{library.name}: build {step.reason}\n{step.tail()}")
    return step.cpu_time_s


def _record(library: Library, pristine: Path, directory: Path, path: Path) -> list[Record]:
    path.touch()
    _build(
        library,
        pristine,
        directory,
        _agent(CC_AGENT_MODE="record", CC_AGENT_RECORD=str(path), CC_AGENT_LOCK=str(path.with_suffix(".lock"))),
    )
    records = [
        record
        for record in read_records(path)
        if record.objective == "size" and Path(record.cwd, record.source).is_file()
    ]
    if not records:
        raise NotEstablished(f"{library.name}: no compilation of its build was recorded")
    return records


def _fill(ways: Mapping[str, Path], records: Sequence[Record], budget: Budget) -> None:
    """Writes the locks: none, clang's own pipeline as a plan, and searched plans, stock where the search found none."""
    evidence = Evidence(0, 0, 0, "bench", 0)
    stock: dict[str, LockEntry] = {}
    for record in records:
        with Engine(record.argv, record.cwd) as engine:
            stock[engine.key] = LockEntry(str(stock_plan()), record.source, engine.llvm, engine.target, evidence)
    locks.update(ways[NONE], {})
    locks.update(ways[STOCK], stock)
    locks.update(ways[FULL], stock)
    report = tune.tune_records(records, None, TuneOptions(budget, demands=SIZES_ONLY), jobs=1)
    for result in report.results:
        if result.best is not None:
            entry = result.lock_entry(result.record.source, TuneOptions(budget, demands=SIZES_ONLY), None)
            locks.update(ways[FULL], {result.key: entry}, replace=True)


def _check(library: Library, way: str, log: Path, n_units: int) -> int:
    """The compilations of the build that just ended; all of them were decided as this way demands."""
    seen = read_decisions(log) or []  # linking is in the log too, as plain
    decisions = [each for each in seen if each in ("replayed", "miss", "error")]
    n_right = decisions.count(_DECISION.get(way, "miss"))
    if n_right < len(decisions) or n_right < n_units:
        counted = ", ".join(f"{each} {seen.count(each)}" for each in sorted(set(seen)))
        raise NotEstablished(
            f"{library.name}, {way}: {n_right} of {max(len(decisions), n_units)} compilations were as they should be; "
            f"the log has {counted or 'none'}",
            hint="run it again while nothing else changes the native component",
        )
    return len(decisions)


def render(report: ReplayReport, console: Console) -> None:
    """Prints the figures and the targets."""
    table = Table(title="user+system time of a whole build: cc-agent ÷ clang -Oz, one ratio per round")
    for column in ("library", "way", "compilations", "rounds", "clang s", "median", "min", "max", "at most"):
        table.add_column(column, justify="left" if column in ("library", "way") else "right")
    for row in report.builds:
        table.add_row(
            row.library,
            row.way,
            str(row.n_compilations),
            str(len(row.ratios)),
            f"{statistics.median(row.plain_s):.2f}",
            f"{statistics.median(row.ratios):.3f}",
            f"{min(row.ratios):.3f}",
            f"{max(row.ratios):.3f}",
            str(TARGETS.get(row.way, "-")),
        )
    console.print(table)
    for launch in report.launches:
        console.print(
            f"{launch.arguments[0]}: clang {1000 * launch.clang_s:.1f} ms, cc-agent {1000 * launch.ours_s:.1f} ms, "
            f"added {1000 * launch.added_s:.1f} ms (at most {1000 * LAUNCH_TARGET_S:.0f})"
        )
