"""The benchmark of llvm-mca's estimates: its arithmetic, and a small real run."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from rich.console import Console

from compiler_agent.app import bench_mca, bench_mca_report
from compiler_agent.app.bench_mca import KernelFigures, McaReport
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation.stats import geometric_mean_interval, pearson, spearman


def figures(kernel: str, level: str, cycles: float, ns: float, n_passes: int = 10) -> KernelFigures:
    times = (0.9 * ns * n_passes, ns * n_passes, 1.1 * ns * n_passes)
    return KernelFigures(kernel, "Chains: latency.", level, 5, 1, cycles, cycles * n_passes, n_passes, times)


def test_correlations_by_hand() -> None:
    assert spearman([1, 2, 3, 4], [10, 100, 1000, 10_000]) == pytest.approx(1)
    assert spearman([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: 4.5 / sqrt(4.5 * 5).
    assert spearman([5, 7, 7, 9], [1, 2, 3, 4]) == pytest.approx(math.sqrt(0.9))
    assert pearson([1, 2, 3, 4], [10, 100, 1000, 10_000]) < 0.9


def test_an_interval_holds_the_mean_and_shrinks_with_more_units() -> None:
    few, many = [1.0, 1.1, 1.2], [1.0, 1.1, 1.2] * 20
    (low, high), (nearer, near) = geometric_mean_interval(few), geometric_mean_interval(many)
    assert 1.0 <= low < nearer < 1.0970 < near < high <= 1.2
    assert geometric_mean_interval(few) == (low, high), "the resamples repeat"


def test_figures_of_agreement() -> None:
    report = McaReport(
        "znver4",
        "22.1.8",
        (
            figures("a", "-O2", 4.0, 1.0),
            figures("a", "-O3", 8.0, 2.0),  # slower, and said to be
            figures("b", "-O2", 40.0, 10.0),
            figures("b", "-O3", 40.0, 5.0),  # faster, and called equal
            figures("c", "-O2", 4.0, 50.0),  # far from what is estimated
            figures("c", "-O3", 4.0, 50.5),  # no difference to speak of
        ),
        ("d -O2",),
    )
    assert report.ghz == pytest.approx(4)
    assert report.choices() == (1, 2)
    assert report.agreement().n_close == 3
    assert report.agreement("-O2").n_kernels == 3
    assert report.agreement("-O2").spearman == pytest.approx(spearman([4, 40, 4], [1, 10, 50]))
    assert report.figures[0].spread == pytest.approx(0.2)
    console = Console(width=160, record=True)
    bench_mca_report.render(report, console)
    text = console.export_text()
    assert "the faster one is named in 1 of 2" in text
    assert "d -O2" in text
    assert bench_mca_report.to_json(report)["all"]["n_kernels"] == 6


def test_kernels_are_counted_estimated_and_timed() -> None:
    report = bench_mca.run_bench(("sum_double", "matrix_columns"), ("-O2",), rounds=2)
    chain, matrix = report.figures
    assert report.left_out == ()
    # 3072 additions, and as many passes through the loop as its unrolling leaves.
    assert 3072 % chain.passes_per_call == 0
    unrolled = 3072 // chain.passes_per_call
    assert chain.cycles >= 2 * unrolled, "additions that depend on each other"
    assert matrix.passes_per_call % (48 * 48) == 0
    for one in report.figures:
        assert len(one.ns_per_call) == 2
        assert min(one.ns_per_call) > 0
        assert one.cycles_per_call >= one.cycles * one.passes_per_call * 0.999


@pytest.mark.parametrize(("step_ns", "call_ns"), [(1, 300.0), (1e7, 300.0), (1, 5e7), (1e7, 5e7)])
def test_a_sample_is_long_enough_also_by_a_clock_that_goes_in_steps(
    monkeypatch: pytest.MonkeyPatch, step_ns: float, call_ns: float
) -> None:
    def sample(program: Path, n_calls: int) -> list[float]:
        return [n_calls * call_ns // step_ns * step_ns / n_calls]

    monkeypatch.setattr(bench_mca, "_sample", sample)
    n_calls = bench_mca._calls_per_sample(Path("kernel"))
    assert n_calls == 1 or 2e7 <= n_calls * call_ns <= 6e7
    assert sample(Path("kernel"), n_calls)[-1] > 0


def test_an_unknown_kernel_is_named() -> None:
    with pytest.raises(CompilerAgentError, match=r"no-such-kernel\.c"):
        bench_mca.run_bench(("no-such-kernel",), ("-O2",), rounds=2)


@pytest.mark.parametrize("kernel", sorted(bench_mca.KERNELS.glob("*.c")), ids=lambda path: path.stem)
def test_each_kernel_says_what_it_stresses(kernel: Path) -> None:
    first = kernel.read_text().splitlines()[0]
    assert first.startswith("// ")
    assert first.endswith(".")


def test_there_are_at_least_40_kernels() -> None:
    assert len(list(bench_mca.KERNELS.glob("*.c"))) > 40
