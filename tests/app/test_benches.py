"""The benchmarks of engine, replay and strategies: their arithmetic, and tiny real runs of their parts."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from compiler_agent.app import bench_engine, bench_replay, bench_size, bench_size_report
from compiler_agent.app.bench_engine import Comparison, EngineReport, Ours
from compiler_agent.app.bench_engine_report import render
from compiler_agent.app.bench_replay import FULL, NONE, BuildRatios, LaunchCost, ReplayReport
from compiler_agent.app.bench_size import serving_argv
from compiler_agent.app.cli_bench import bench
from compiler_agent.app.unit import search_space
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.base.store import Store, StoredEvaluation, StoredUnit
from compiler_agent.evaluation.libraries import Part, TranslationUnit, load
from compiler_agent.llvm.engine import Engine
from compiler_agent.llvm.toolchain import discover

SOURCE = """
int sum(const int *values, int n) { int s = 0; for (int i = 0; i < n; i++) s += values[i] * 3; return s; }
int most(const int *v, int n) { int m = v[0]; for (int i = 1; i < n; i++) if (v[i] > m) m = v[i]; return m; }
static int twice(int x) { return x + x; }
int four(int x) { return twice(twice(x)); }
"""


@pytest.fixture
def unit(tmp_path: Path) -> TranslationUnit:
    (tmp_path / "small.c").write_text(SOURCE)
    return TranslationUnit("tiny", Part.TRAINING, "c", "small.c", tmp_path, ("-DUNUSED=1", "small.c"))


@pytest.mark.parametrize("kind", bench_engine.KINDS)
def test_both_sides_are_measured_on_the_same_plans(unit: TranslationUnit, tmp_path: Path, kind: str) -> None:
    row = bench_engine.compare(unit, kind, search_space(discover()), 6, 0, tmp_path)
    assert row.unit == "tiny/small.c"
    assert row.ir_instructions > 20
    assert 1 <= len(row.processes_s) <= 6
    assert tuple(row.ours) == bench_engine.WAYS[kind]
    for way, ours in row.ours.items():
        assert len(ours.wall_time_s) == len(row.processes_s)
        least, greatest = row.spread(way)
        assert least <= row.ratio(way) <= greatest
    assert row.ours[bench_engine.ALONE].n_known == 0
    if not bench_engine.EMITS[kind]:
        assert row.n_agreed == len(row.processes_s)  # both sides did the same work


def test_plans_repeat_for_a_seed_and_a_greedy_search_grows_its_pipeline(unit: TranslationUnit) -> None:
    space = search_space(discover())
    drawn = []
    for seed in (1, 1, 2):
        with Engine(serving_argv(unit), unit.directory) as engine:
            drawn.append([bench_engine.draw(engine, kind, space, 10, seed, "a") for kind in bench_engine.KINDS])
    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]
    assert {len(plan.pipeline.nodes) for plan in drawn[0][bench_engine.KINDS.index("greedy")]} == {1, 2, 3, 4, 5}
    short = drawn[0][bench_engine.KINDS.index("short")]
    assert len({str(plan) for plan in short}) == 10


def test_figures_of_the_engine() -> None:
    whole = Comparison("a/b.c", "whole", 100, (0.3, 0.5), 0.9, {"alone": Ours((0.1, 0.3), 0.3, 0)}, 0)
    short = Comparison("a/b.c", "short", 100, (0.3,), 0.6, {"alone": Ours((0.1,), 0.1, 0)}, 1)
    ours = {"alone": Ours((1.0,), 1.0, 0), "known": Ours((0.8,), 0.8, 1), "shared": Ours((0.5,), 0.4, 1)}
    evolve = Comparison("a/b.c", "evolve", 100, (1.0,), 1.0, ours, 0)
    assert whole.ratio() == pytest.approx(2.0)
    assert whole.spread() == (pytest.approx(5 / 3), pytest.approx(3.0))
    assert whole.cpu_ratio() == pytest.approx(3.0)
    assert [evolve.cpu_ratio(way) for way in ours] == pytest.approx([1.0, 1.25, 2.5])
    assert evolve.ratio() == pytest.approx(2.0)
    report = EngineReport((whole, short, evolve))
    assert report.misses() == ["a/b.c, short: 3.00 is below 5.0"]
    console = Console(width=160, record=True)
    render(report, console)
    text = console.export_text()
    assert "whole: geomean 2.00" in text
    assert "evolve: geomean 2.00 (cpu 2.50)" in text
    assert "100%" in text


def test_figures_of_replay() -> None:
    full = BuildRatios("zlib", FULL, 15, (1.0, 2.0, 1.0), (1.02, 2.0, 1.1))
    none = BuildRatios("zlib", NONE, 15, (1.0,), (1.05,))
    slow = LaunchCost(("-E",), 0.020, 0.035)
    assert full.ratios == pytest.approx([1.02, 1.0, 1.1])
    report = ReplayReport((full, none), (LaunchCost(("--version",), 0.020, 0.021), slow))
    assert report.misses() == ["zlib, no entry: 1.050 is above 1.02", "-E: 15.0 ms added, above 10"]
    console = Console(width=160, record=True)
    bench_replay.render(report, console)
    assert "added 15.0 ms" in console.export_text()


def test_a_build_that_was_not_replayed_is_not_measured(tmp_path: Path) -> None:
    library = load()[0]
    log = tmp_path / "log.jsonl"
    log.write_text('{"decision": "replayed"}\n{"decision": "plain"}\n{"decision": "replayed"}\n')
    assert bench_replay._check(library, FULL, log, 2) == 2
    with pytest.raises(NotEstablished, match="2 of 3"):
        bench_replay._check(library, FULL, log, 3)
    with pytest.raises(NotEstablished, match="0 of 2"):
        bench_replay._check(library, NONE, log, 2)
    log.unlink()
    with pytest.raises(NotEstablished, match="the log has none"):
        bench_replay._check(library, FULL, log, 1)


def test_the_launcher_is_timed_against_clang() -> None:
    cost = bench_replay.measure_launch(("--version",), 3)
    assert cost.clang_s > 0
    assert cost.ours_s > 0


PLAN = "-passes=default<O2> -disable-lsr=true"


def noted(store: Store, source: str) -> None:
    """A past unit whose features are those of anything, and a plan that paid there."""
    key, toolchain = hashlib.sha256(source.encode()).hexdigest()[:32] + "-O2s2", discover()
    features = (67, 1, 1, *[1] * 67)
    store.put_unit(StoredUnit(key, toolchain.digest, toolchain.target, source, features, 100, 200, 30, "2026-01-01"))
    tried = StoredEvaluation(key, toolchain.digest, "0", PLAN, "established", "", 90, 180, 20, 0.1, "2026-01-01")
    store.put_many([tried])


def test_strategies_are_compared_at_equal_budgets_and_what_they_find_is_learned(
    unit: TranslationUnit, tmp_path: Path
) -> None:
    names = ("baseline", "random", "evolve")
    with Store.in_memory() as learned:
        figures = bench_size.measure_unit(unit, bench_size.Settings(names, Budget(8)), learned=learned)
        assert figures is not None
        known = learned.best_plans(discover().digest, "text_bytes", 99)
    assert figures.n_evaluations == {"baseline": 1, "random": 8, "evolve": 8}
    for name in names:
        assert figures.curves[name] == sorted(figures.curves[name], reverse=True)
        assert figures.ratio(name) == figures.ratio(name, 8) >= figures.ratio(name, 1) >= 1
        assert figures.text_bytes[name] == figures.curves[name][-1]
        assert figures.neighbours[name] == []
    assert {one.source for one in known} == {"tiny/small.c"}
    console = Console(width=200, record=True)
    bench_size_report.render([figures], names, [4], console)
    assert console.export_text().count("training") == 1 + 2 * len(names)


def test_a_benchmark_knows_other_training_libraries_and_nothing_else(unit: TranslationUnit, tmp_path: Path) -> None:
    zlib_unit = dataclasses.replace(unit, library="zlib")
    with Store.open(tmp_path / "store") as store:
        for source in ("zlib/inflate.c", "lua/lvm.c", "bzip2/huffman.c", "elsewhere.c"):
            noted(store, source)
    settings = bench_size.Settings(("neighbours", "evolve"), Budget(3), known=tmp_path / "store")
    figures = bench_size.measure_unit(zlib_unit, settings, settings.read_knowledge())
    assert figures is not None
    assert figures.neighbours == {"neighbours": ["lua/lvm.c"], "evolve": []}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"strategies": ("neighbours",)}, "needs to know"),
        ({"known": Path("there")}, "no store in there"),
        ({"known": Path("there"), "learned": Path("here")}, "not learned"),
    ],
)
def test_what_would_be_no_comparison_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        dataclasses.replace(bench_size.Settings(("evolve",), Budget(1)), **changes).read_knowledge()


def test_bench_without_a_name_is_bench_size(tmp_path: Path) -> None:
    runner = CliRunner()
    said = runner.invoke(bench, ["--strategies", "luck", "--budget", "3"])
    assert isinstance(said.exception, UsageError)
    assert "no strategy luck" in str(said.exception)
    assert "mca" in runner.invoke(bench, ["--help"]).output
