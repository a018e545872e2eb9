"""A kept plan is measured once more: its figure is what all pairs show, also where they show nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from compiler_agent.app import bench_speed, speed_again
from compiler_agent.app.bench_speed_figures import ProgramFigures, replicated
from compiler_agent.app.program_linked import LinkedProgram, of_command
from compiler_agent.app.speed_candidates import Rejected
from compiler_agent.app.tune_speed import SpeedOptions
from compiler_agent.app.verification import SIZES_ONLY
from compiler_agent.base.config import Budget
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import Outcome, Settings
from compiler_agent.evaluation.samples import Pair, Times
from compiler_agent.llvm.plan import Plan

from . import multiply

POLLY = Plan.parse("-passes=default<O3> -polly=true")
SAME = Plan.parse("-passes=default<O3>")
OPTIONS = SpeedOptions(
    Budget(n_evaluations=1),
    demands=SIZES_ONLY,
    allow_experimental=True,
    settings=Settings(n_pairs=12, seconds=3600.0, sample_s=0.005),
    name="multiply evolve",
)


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LinkedProgram:
    multiply.take_times_from_the_code(monkeypatch)
    (tmp_path / "multiply.c").write_text(multiply.MULTIPLY)
    return of_command(("multiply.c", "-o", "multiply"), tmp_path, multiply.RUNS, seed=1)


def test_a_gain_is_seen_again_over_all_pairs(program: LinkedProgram):
    found = speed_again.measure_again(program, POLLY, "-O3", OPTIONS)
    assert found.comparison.outcome is Outcome.FASTER
    assert found.comparison.speedup is not None
    assert found.comparison.speedup.low > 1.2
    assert len(found.comparison.pairs) == OPTIONS.settings.n_pairs
    assert found.size_ratio < 1


def test_where_no_gain_is_shown_its_interval_is_told_over_all_pairs(program: LinkedProgram):
    found = speed_again.measure_again(program, SAME, "-O3", OPTIONS)
    assert len(found.comparison.pairs) == OPTIONS.settings.n_pairs
    assert found.comparison.speedup is not None
    assert found.comparison.speedup.low < found.comparison.speedup.high < 1.05
    assert found.size_ratio == 1


def test_a_plan_that_does_not_compile_is_refused(program: LinkedProgram):
    with pytest.raises(Rejected, match="no-such-option"):
        speed_again.measure_again(program, Plan.parse("-passes=default<O3> -no-such-option=1"), "-O3", OPTIONS)


@pytest.mark.parametrize(("ratios", "overlaps"), [((1.01, 1.02, 1.03, 1.04), True), ((0.97, 0.98, 0.99, 0.98), False)])
def test_the_figure_of_a_second_run_is_the_interval_whether_a_gain_is_shown_or_not(
    ratios: tuple[float, ...], overlaps: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def times(seconds: float) -> Times:
        return Times(seconds, seconds, seconds, layout=0, environment_bytes=0, transferred=None)

    pairs = tuple(Pair(times(ratio), times(1.0), candidate_first=False) for ratio in ratios)
    comparison = Comparison(Outcome.NOT_SHOWN, "no difference was shown", pairs)
    monkeypatch.setattr(
        bench_speed, "measure_again", lambda program, plan, level, options, say: speed_again.Again(comparison, 1.0)
    )
    first = ProgramFigures("aes", "crypto", "training", "evolve", "-O3", {}, 1.025, 1.015, 1.03, str(SAME))
    settings = bench_speed.Settings(Budget(n_evaluations=3), seed=5, again=True)
    (second,) = bench_speed.run_bench(
        bench_speed.chosen(["aes"]),
        ["evolve"],
        settings,
        tmp_path,
        earlier=[first, dataclasses.replace(first, plan="")],
    )
    assert (second.plan, second.baseline, second.reason) == (str(SAME), "-O3", "no difference was shown")
    assert second.low < second.speedup < second.high
    assert replicated([first], [second]).share == overlaps


@pytest.mark.parametrize(("verdict", "n_wrong"), [(Verdict.MISCOMPILED, 1), (Verdict.REJECTED, 0)])
def test_a_plan_that_is_none_any_more_is_not_kept_but_the_program_can_be_timed(
    verdict: Verdict, n_wrong: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def refuse(*what: object) -> None:
        raise Rejected(verdict, "it does something else")

    monkeypatch.setattr(bench_speed, "measure_again", refuse)
    first = ProgramFigures("aes", "crypto", "training", "evolve", "-O2", {}, 1.025, 1.015, 1.03, str(SAME))
    settings = bench_speed.Settings(Budget(n_evaluations=3), seed=5, again=True)
    (second,) = bench_speed.run_bench(bench_speed.chosen(["aes"]), ["evolve"], settings, tmp_path, earlier=[first])
    assert (second.baseline, second.plan, second.n_wrong, second.size_ratio) == ("-O2", "", n_wrong, 1.0)
    assert second.reason == "it does something else"
    assert replicated([first], [second]).share == 0
