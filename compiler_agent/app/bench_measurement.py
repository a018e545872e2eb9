"""`compiler-agent bench measurement`: whether measurements on this machine can be believed.

Three questions, on kernels of `benchmarks/kernels` that are called often enough to take some milliseconds: how often a
program differs from itself, how often 2% more calls are noticed, and whether a gain of layout alone is kept.
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.bench_mca import KERNELS
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.counters import find_counter
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.executor import ProcessExecutor
from compiler_agent.evaluation.layout import FixedLayout, Layouts, LinkedLayouts
from compiler_agent.evaluation.machine import Machine, this_machine
from compiler_agent.evaluation.measure import Comparison, Rule, Stopping, compare
from compiler_agent.evaluation.pairing import Baseline, Outcome
from compiler_agent.evaluation.pairing import Settings as PairSettings
from compiler_agent.evaluation.session import Session
from compiler_agent.evaluation.stats import Speedup, discoveries
from compiler_agent.llvm.toolchain import Toolchain, discover

PROGRAMS = ("crc_table", "histogram", "horner", "mandelbrot", "state_machine")
SENSITIVE = ("binary_search", "branch_random", "collatz", "state_machine")
"""Kernels whose time depends on where they are: branches that a processor guesses by their addresses."""
PLANTED = 1.02
_SHIFTS_BYTES = (0, 16, 32, 48)
"""Functions begin at multiples of 16, and processors read code in pieces of 32 or 64 bytes."""
_N_ORDERS = 6
_N_SCOUTED = 9
_TIMEOUT_S = 60.0
_FIRST_CALLS = 1000


@dataclass(frozen=True, slots=True)
class Settings:
    """What the benchmark does."""

    n_comparisons: int = 200
    """Of programs with themselves."""
    n_trials: int = 60
    """With a planted slowdown."""
    n_repeats: int = 5
    """Comparisons for each win that is planted by layout."""
    n_pairs: int = 60
    """Most pairs of a comparison."""
    run_s: float = 0.015
    """Processor time that a run should take."""
    seconds: float = 600.0
    """For each of the three questions; what is not begun then is left out, and the figures say how much was done."""
    seed: int = 0
    """Of all that is drawn."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One comparison whose right answer is known."""

    program: str
    """The kernel."""
    outcome: Outcome
    """What was said."""
    speedup: Speedup | None
    """Baseline ÷ candidate."""
    n_pairs: int
    """What it took: each is a run of both."""
    log_evidence: float | None
    """For a gain; None: the candidate was not faster."""

    @property
    def is_different(self) -> bool:
        """Whether any difference was claimed."""
        return self.outcome is not Outcome.NOT_SHOWN


@dataclass(frozen=True, slots=True)
class LayoutWin:
    """Executables of the same code, the slowest and the fastest of some by their layout."""

    program: str
    """The kernel."""
    kind: str
    """What was fixed: alignment or link order."""
    naive: Trial
    """The fastest against the slowest, each in its one layout."""
    randomized: tuple[Trial, ...]
    """The same objects, in layouts that are drawn."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the benchmark found."""

    machine: Machine
    """Where."""
    settings: Settings
    """What was asked for."""
    noise: dict[str, float]
    """By program, the standard deviation of the log ratio of a pair."""
    instructions: dict[str, float]
    """By program, with more calls ÷ without, where they can be counted: what is really planted."""
    same: tuple[Trial, ...]
    """Programs against themselves."""
    slower: tuple[Trial, ...]
    """Programs against themselves with more calls."""
    layout: tuple[LayoutWin, ...]
    """Wins of layout alone."""
    cautions: tuple[str, ...]
    """What the sessions warned of."""
    seconds: tuple[float, float, float]
    """What each question took, on the clock."""

    @property
    def n_kept_of_same(self) -> int:
        """How many of the programs that are the same one session would have kept as gains."""
        evidence = [-math.inf if trial.log_evidence is None else trial.log_evidence for trial in self.same]
        return sum(discoveries(evidence, 0.05))


class Bench:
    """Builds programs and asks. Use as a context manager."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._toolchain: Toolchain = discover()
        self._exits = ExitStack()
        self._sessions: dict[str, Session] = {}
        self._n_calls: dict[str, int] = {}

    def __enter__(self) -> Bench:
        self._directory = Path(self._exits.enter_context(ScratchDirectory(prefix="cc-agent-measurement-")))
        self._empty = self._directory / "empty"
        self._empty.mkdir()
        self._executor = self._exits.enter_context(ProcessExecutor(Workload("./program"), self._empty, "program"))
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def run(self, programs: Sequence[str] = PROGRAMS, sensitive: Sequence[str] = SENSITIVE) -> Report:
        """Asks all three questions.

        Raises:
            NotEstablished: A program differs from itself so clearly that nothing can be measured here.
            ToolError: A kernel does not build.
        """
        started_s = time.monotonic()
        for name in programs:
            self._session(name)
        same = tuple(self._turns(programs, self.settings.n_comparisons, "same", self._same))
        same_s = time.monotonic()
        slower = tuple(self._turns(programs, self.settings.n_trials, "slower", self._slower))
        slower_s = time.monotonic()
        layout = tuple(self._layout_wins(sensitive))
        return Report(
            this_machine(),
            self.settings,
            {name: session.scale for name, session in self._sessions.items()},
            self._instructions(programs),
            same,
            slower,
            layout,
            tuple(dict.fromkeys(f"{name}: {one}" for name, s in self._sessions.items() for one in s.cautions)),
            (same_s - started_s, slower_s - same_s, time.monotonic() - slower_s),
        )

    def _turns(
        self, programs: Sequence[str], n: int, what: str, ask: Callable[[str, int], Comparison]
    ) -> Iterator[Trial]:
        deadline_s = time.monotonic() + self.settings.seconds
        for number in range(n):
            if time.monotonic() > deadline_s:
                return
            name = programs[number % len(programs)]
            yield _trial(name, ask(name, number))
            print(f"{what}: {number + 1} of {n}", file=sys.stderr, flush=True)

    def _same(self, name: str, number: int) -> Comparison:
        session = self._session(name)
        return self._compare(session.baseline, session.baseline.layouts, session.scale, f"same/{number}")

    def _slower(self, name: str, number: int) -> Comparison:
        session = self._session(name)
        slower = self._layouts(name, round(PLANTED * self._calls(name)))
        return self._compare(session.baseline, slower, session.scale, f"slower/{number}")

    def _instructions(self, programs: Sequence[str]) -> dict[str, float]:
        if (counter := find_counter()) is None:
            return {}
        ratios = {}
        with ProcessExecutor(self._executor.workload, self._empty, "program", counter.under) as executor:
            for name in programs:
                calls = [round(share * self._calls(name)) for share in (1, PLANTED)]
                few, many = (counter.instructions(executor, self._plain(name, n, 0)) for n in calls)
                ratios[name] = many / few
        return ratios

    def _layout_wins(self, programs: Sequence[str]) -> Iterator[LayoutWin]:
        deadline_s = time.monotonic() + self.settings.seconds
        for name in programs:
            session, n_calls = self._session(name), self._calls(name)
            shifted = [self._layouts(name, n_calls, shift) for shift in _SHIFTS_BYTES]
            linked = self._layouts(name, n_calls)
            planted: dict[str, tuple[list[Path], Sequence[Layouts]]] = {
                "alignment": ([self._plain(name, n_calls, shift) for shift in _SHIFTS_BYTES], shifted),
                "link order": ([linked.executable(n) for n in range(_N_ORDERS)], [linked] * _N_ORDERS),
            }
            for kind, (executables, layouts) in planted.items():
                if time.monotonic() > deadline_s:
                    return
                slow, fast = self._extremes(executables)
                naive = self._versus(FixedLayout(executables[slow]), FixedLayout(executables[fast]), session, "naive")
                randomized = (
                    self._versus(layouts[slow], layouts[fast], session, f"layout/{number}")
                    for number in range(self.settings.n_repeats)
                )
                yield LayoutWin(name, kind, _trial(name, naive), tuple(_trial(name, one) for one in randomized))
                print(f"layout: {name}, {kind}", file=sys.stderr, flush=True)

    def _versus(self, slow: Layouts, fast: Layouts, session: Session, seed: str) -> Comparison:
        return self._compare(self._establish(slow), fast, session.scale, seed)

    def _compare(self, baseline: Baseline, candidate: Layouts, scale: float, seed: str) -> Comparison:
        rule = Rule(scale, stopping=Stopping.DIFFERENCES)
        return compare(baseline, candidate, rule, seed=f"{self.settings.seed}/{seed}")

    def _extremes(self, executables: Sequence[Path]) -> tuple[int, int]:
        """Which is the slowest and which the fastest, by the median of a few runs in turns."""
        times_s: list[list[float]] = [[] for _ in executables]
        for _ in range(_N_SCOUTED):
            for index, executable in enumerate(executables):
                times_s[index].append(self._time(executable))
        medians = [statistics.median(one) for one in times_s]
        return medians.index(max(medians)), medians.index(min(medians))

    def _time(self, executable: Path) -> float:
        return self._executor.run(executable, environment_bytes=0, timeout_s=_TIMEOUT_S).behaviour.cpu_time_s

    def _session(self, name: str) -> Session:
        if name not in self._sessions:
            layouts, seed = self._layouts(name, self._calls(name)), self.settings.seed
            self._sessions[name] = Session.start(layouts, self._executor, self._pair_settings, name=name, seed=seed)
        return self._sessions[name]

    def _establish(self, layouts: Layouts) -> Baseline:
        return Baseline.establish(layouts, self._executor, self._pair_settings)

    @property
    def _pair_settings(self) -> PairSettings:
        return PairSettings(n_pairs=self.settings.n_pairs, sample_s=0.0)

    def _calls(self, name: str) -> int:
        """How often a kernel must be called to take as long as a run should."""
        if name not in self._n_calls:
            once, often = (self._time(self._plain(name, n, 0)) for n in (1, _FIRST_CALLS))
            per_call_s = max(often - once, 1e-5) / _FIRST_CALLS
            self._n_calls[name] = max(100, round(self.settings.run_s / per_call_s))
        return self._n_calls[name]

    def _plain(self, name: str, n_calls: int, shift: int) -> Path:
        """As a build makes it: in the one layout that results."""
        path = self._directory / f"{name}-{n_calls}-{shift}"
        check([*self._link(name, n_calls, shift), "-o", path], timeout_s=_TIMEOUT_S)
        return path

    def _layouts(self, name: str, n_calls: int, shift: int = 0) -> LinkedLayouts:
        directory = self._directory / f"{name}-{n_calls}-{shift}-layouts"
        return LinkedLayouts(self._link(name, n_calls, shift), directory, self._toolchain, seed=self.settings.seed)

    def _link(self, name: str, n_calls: int, shift: int) -> list[str | Path]:
        """Compiles what is not compiled yet, and says how it is linked."""
        kernel, driver = self._directory / f"{name}-{shift}.o", self._directory / f"driver-{n_calls}.o"
        clang: list[str | Path] = [self._toolchain.clang, "-O3", "-c"]
        if not kernel.exists():
            source = kernel.with_suffix(".c")
            source.write_text(f'__asm__(".text\\n.skip {shift}, 0x90\\n");\n#include "{KERNELS / name}.c"\n')
            check([*clang, source, "-o", kernel], timeout_s=_TIMEOUT_S)
        if not driver.exists():
            check([*clang, f"-DCALLS={n_calls}", KERNELS / "driver.c", "-o", driver], timeout_s=_TIMEOUT_S)
        return [self._toolchain.clang, kernel, driver, "-lm"]


def _trial(name: str, found: Comparison) -> Trial:
    evidence = found.log_evidence if math.isfinite(found.log_evidence) else None
    return Trial(name, found.outcome, found.speedup, len(found.pairs), evidence)
