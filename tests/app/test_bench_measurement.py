"""The benchmark of measurement: its arithmetic, and a real run that is too short for any claim."""

from __future__ import annotations

import dataclasses
import json
import math
import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from compiler_agent.app import bench_measurement, bench_measurement_report
from compiler_agent.app.bench_measurement import Bench, LayoutWin, Report, Settings, Trial
from compiler_agent.evaluation.executor import ProcessExecutor, Run
from compiler_agent.evaluation.machine import Machine
from compiler_agent.evaluation.pairing import Outcome
from compiler_agent.evaluation.stats import Speedup
from compiler_agent.llvm.toolchain import discover


def trials(n: int, n_of: int, outcome: Outcome, log_evidence: float | None = None) -> tuple[Trial, ...]:
    """So many of which so many ended so, after 10, 11, … pairs."""
    speedup = Speedup(0.98, 0.97, 0.99)
    return tuple(
        Trial("horner", outcome if i < n_of else Outcome.NOT_SHOWN, speedup, 10 + i, log_evidence) for i in range(n)
    )


def report(n_different: int, n_found: int, n_kept: int) -> Report:
    win = LayoutWin("horner", "alignment", *trials(1, 1, Outcome.FASTER), trials(20, n_kept, Outcome.FASTER))
    return Report(
        Machine("a cpu", 2, "6.0", "unknown", "none"),
        Settings(),
        {"horner": 0.01},
        {"horner": 1.02},
        trials(40, n_different, Outcome.FASTER, math.log(500)),
        trials(20, n_found, Outcome.SLOWER),
        (win,),
        ("horner: busy",),
        (1.0, 2.0, 3.0),
    )


def test_the_targets() -> None:
    assert list(bench_measurement_report.misses(report(2, 18, 1))) == []
    assert list(bench_measurement_report.misses(report(3, 17, 2))) == [
        "3 of 40 comparisons of a program with itself were called different",
        "17 of 20 slowdowns of 2% were found",
        "2 of 20 wins of layout alone were kept",
    ]


def test_what_is_printed() -> None:
    console = Console(width=160, record=True)
    bench_measurement_report.render(report(2, 18, 1), console)
    text = console.export_text()
    for words in ("caution: horner: busy", "2 of 40", "18 of 20", "0.9804", "kept: 1 of 1", "1 of 20 comparisons"):
        assert words in text
    row = next(line for line in text.splitlines() if line.startswith("│ horner") and "18 of 20" in line)
    assert "19 │      27" in row, "pairs that half and nine of ten slowdowns took"
    assert "kept 40 of 40" in text, "evidence of 500 each is enough where all have it"
    json.dumps(bench_measurement_report.to_json(report(2, 18, 1)), allow_nan=False)


def place_of(symbol: str, file: Path) -> int:
    listing = subprocess.run([discover().tool("llvm-nm"), file], check=True, capture_output=True, text=True).stdout
    return next(int(row.split()[0], 16) for row in listing.splitlines() if row.split()[2:] == [symbol])


def test_a_short_run_claims_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*arguments: Any, **named: Any) -> Run:
        done = real(*arguments, **named)
        cpu_time_s = max(0.001, done.behaviour.cpu_time_s)  # a clock that ticks may stand still
        return dataclasses.replace(done, behaviour=dataclasses.replace(done.behaviour, cpu_time_s=cpu_time_s))

    real = ProcessExecutor.run
    monkeypatch.setattr(ProcessExecutor, "run", run)
    settings = Settings(n_comparisons=1, n_trials=1, n_repeats=1, n_pairs=6, run_s=0.001)
    with Bench(settings) as bench:
        found = bench.run(["horner"], ["horner"])
        n_calls = bench._calls("horner")
        planted = bench_measurement.PLANTED * n_calls
        compared = {path.name for path in bench._directory.glob("horner-*-layouts")}
        places = {shift: place_of("kernel", bench._directory / f"horner-{shift}.o") for shift in (0, 16, 32, 48)}
    assert [one.outcome for one in (*found.same, *found.slower)] == [Outcome.NOT_SHOWN] * 2
    assert [win.kind for win in found.layout] == ["alignment", "link order"]
    assert compared >= {f"horner-{round(planted)}-0-layouts", f"horner-{n_calls}-0-layouts"}
    assert all(place == shift for shift, place in places.items())
    assert all(ratio > 1.001 for ratio in found.instructions.values()), "the planted work is there"
    json.dumps(bench_measurement_report.to_json(found), allow_nan=False)
