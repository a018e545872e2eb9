"""What `compiler-agent bench measurement` prints."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from compiler_agent.app.bench_measurement import PLANTED, Report, Trial
from compiler_agent.evaluation.pairing import Outcome

MOST_DIFFERENT = 0.05
"""Comparisons of a program with itself that may be called different, of all."""
_LEAST_FOUND = 0.9


def render(report: Report, console: Console) -> None:
    """Prints the answers, with what they were found with."""
    settings = report.settings
    console.print(f"on {report.machine}")
    console.print(
        f"runs of {1e3 * settings.run_s:.0f} ms, at most {settings.n_pairs} pairs, 5% level, seed {settings.seed}"
    )
    for caution in report.cautions:
        console.print(f"caution: {caution}")
    programs = Table(title=f"programs against themselves, and against themselves with {PLANTED - 1:.0%} more work")
    for title in (
        "program",
        "noise of a pair",
        "called different",
        "slowdown found",
        "pairs: median",
        "9 of 10",
        "speedup",
        "instructions",
    ):
        programs.add_column(title, justify="left" if title == "program" else "right")
    for name in [*dict.fromkeys(trial.program for trial in report.same), None]:
        same = [trial for trial in report.same if name in (None, trial.program)]
        slower = [trial for trial in report.slower if name in (None, trial.program)]
        found = [trial for trial in slower if trial.outcome is Outcome.SLOWER]
        programs.add_row(
            name or "all",
            f"{report.noise[name]:.2%}" if name else "",
            f"{sum(trial.is_different for trial in same)} of {len(same)}",
            f"{len(found)} of {len(slower)}",
            *(f"{value:.0f}" for value in _pairs_needed(slower)),
            f"{statistics.median(_speedups(slower)):.4f}" if slower else "",
            f"{1 / report.instructions[name]:.4f}" if name in report.instructions else "",
        )
    console.print(programs)
    console.print(f"a session would have kept {report.n_kept_of_same} of {len(report.same)} programs that are the same")
    wins = Table(title="the fastest of some layouts of the same code against the slowest")
    for title in ("program", "fixed", "in these two layouts", "said", "in layouts that are drawn", "said"):
        wins.add_column(title)
    for win in report.layout:
        drawn = ", ".join(f"{one:.3f}" for one in _speedups(win.randomized))
        said = ", ".join(dict.fromkeys(str(trial.outcome) for trial in win.randomized))
        wins.add_row(win.program, win.kind, str(win.naive.speedup), win.naive.outcome, drawn, said)
    console.print(wins)
    n_fooled = sum(win.naive.outcome is Outcome.FASTER for win in report.layout)
    drawn_trials = [trial for win in report.layout for trial in win.randomized]
    n_kept = sum(trial.outcome is Outcome.FASTER for trial in drawn_trials)
    console.print(
        f"kept: {n_fooled} of {len(report.layout)} by layouts that are fixed, {n_kept} of {len(drawn_trials)} "
        "comparisons in layouts that are drawn"
    )
    console.print(f"{', '.join(f'{one:.0f}' for one in report.seconds)} s for the three questions")


def misses(report: Report) -> Iterator[str]:
    """What is not as it should be, in words."""
    n_different = sum(trial.is_different for trial in report.same)
    if n_different > MOST_DIFFERENT * len(report.same):
        yield f"{n_different} of {len(report.same)} comparisons of a program with itself were called different"
    n_found = sum(trial.outcome is Outcome.SLOWER for trial in report.slower)
    if n_found < _LEAST_FOUND * len(report.slower):
        yield f"{n_found} of {len(report.slower)} slowdowns of {PLANTED - 1:.0%} were found"
    drawn = [trial for win in report.layout for trial in win.randomized]
    n_kept = sum(trial.outcome is Outcome.FASTER for trial in drawn)
    if n_kept > MOST_DIFFERENT * len(drawn):
        yield f"{n_kept} of {len(drawn)} wins of layout alone were kept"


def to_json(report: Report) -> dict[str, Any]:
    """Every figure."""
    return {
        **dataclasses.asdict(report),
        "n_kept_of_same": report.n_kept_of_same,
        "misses": list(misses(report)),
    }


def _pairs_needed(trials: Sequence[Trial]) -> tuple[float, float]:
    """Pairs after which half, and nine of ten, of the slowdowns were found; infinite where they were not."""
    needed = sorted(trial.n_pairs if trial.outcome is Outcome.SLOWER else math.inf for trial in trials)
    if not needed:
        return math.nan, math.nan
    return needed[(len(needed) - 1) // 2], needed[math.ceil(0.9 * len(needed)) - 1]


def _speedups(trials: Sequence[Trial]) -> list[float]:
    return [trial.speedup.median for trial in trials if trial.speedup is not None]
