"""cc-agent alone changes nothing: no plan, or the stock plan, is clang's own object at every level."""

import itertools
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from compiler_agent.app import byte_comparison, byte_identity
from compiler_agent.app.byte_comparison import LAUNCHER_OPTIONS, STOCK_PIPELINES, Comparison, Kind, compare
from compiler_agent.app.byte_identity import FLAG_SETS, FLAGS, Case, State, plan_cases, run, summary
from compiler_agent.base.config import native_directory
from compiler_agent.evaluation.libraries import Part, TranslationUnit
from compiler_agent.llvm.toolchain import discover

from .programs import Project

FLOATS_C = """
#include <math.h>
#include <string.h>
static double table[64];
__attribute__((noinline)) static double dot(const double *a, const double *b, int n) {
  double total = 0;
  for (int i = 0; i < n; i++)
    total += a[i] * b[i];
  return total;
}
double fill(double seed) {
  for (int i = 0; i < 64; i++)
    table[i] = sin(seed + i);
  char copy[sizeof table];
  memcpy(copy, table, sizeof copy);
  return dot(table, (const double *)copy, 64);
}
"""
THROWS_CPP = """
#include <stdexcept>
struct Counter {
  int &count;
  ~Counter() { count++; }
};
static thread_local int depth;
int risky(int value) {
  Counter counter{depth};
  if (value < 0)
    throw std::invalid_argument("negative");
  return value * 2;
}
int safe(int value) {
  try {
    return risky(value);
  } catch (const std::exception &) {
    return depth;
  }
}
"""


@pytest.fixture
def sources(project: Project) -> Path:
    (project.directory / "floats.c").write_text(FLOATS_C)
    (project.directory / "throws.cpp").write_text(THROWS_CPP)
    return project.directory


@pytest.mark.parametrize("level", STOCK_PIPELINES)
@pytest.mark.parametrize(
    ("name", "flag_sets"), [("floats.c", FLAG_SETS[0]), ("weigh.c", FLAG_SETS[1][:1]), ("throws.cpp", [FLAGS])]
)
def test_no_plan_and_the_stock_plan_are_clangs_own_object(
    sources: Path, tmp_path: Path, name: str, flag_sets: Sequence[tuple[str, ...]], level: str
) -> None:
    toolchain = discover()
    clang = toolchain.clangxx if name.endswith(".cpp") else toolchain.clang
    for flags in flag_sets:
        row = compare(name, [str(clang), name], sources, level, flags, tmp_path)
        assert (row.problem, row.kind) == ("", Kind.EQUAL), f"{name} {level} {flags}"


@pytest.mark.parametrize("level", ["-O2", "-Oz", "-O3"])
def test_the_comparison_sees_a_plan_that_is_not_the_stock_plan(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setitem(STOCK_PIPELINES, level, "O0")
    row = compare("floats.c", [str(discover().clang), "floats.c"], sources, level, (), tmp_path)
    assert row.kind is Kind.STOCK_PLAN
    assert not row.identical


@pytest.mark.parametrize("level", ["-O2", "-Oz"])
def test_the_comparison_says_when_the_stock_plan_was_not_replayed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setitem(STOCK_PIPELINES, level, "O7")
    row = compare("floats.c", [str(discover().clang), "floats.c"], sources, level, (), tmp_path)
    assert row.kind is Kind.NOT_REPLAYED
    assert "was not replayed" in row.problem


def test_the_comparison_sees_a_compiler_that_changes_the_object_by_itself(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    native = tmp_path / "native"
    (native / "bin").mkdir(parents=True)
    launcher = native / "bin" / "cc-agent"
    launcher.write_text(f'#!/bin/sh\nexec "{native_directory() / "bin" / "cc-agent"}" "$@" -DSEED=3\n')
    launcher.chmod(0o755)
    (sources / "seed.c").write_text("#ifndef SEED\n#define SEED 2\n#endif\nint seed(void) { return SEED; }\n")
    monkeypatch.setattr(byte_comparison, "native_directory", lambda: native)
    row = compare("seed.c", [str(discover().clang), "seed.c"], sources, "-Oz", (), tmp_path)
    assert row.kind is Kind.WITHOUT_PLAN


def test_the_launcher_replays_at_the_levels_that_it_stands_for(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    real = byte_comparison._run

    def spy(command: Sequence[str], *rest: object, **more: str | None) -> None:
        called.append(Path(command[0]).name)
        real(command, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(byte_comparison, "_run", spy)
    for level, option in LAUNCHER_OPTIONS.items():
        called.clear()
        assert compare("throws.cpp", [str(discover().clangxx), "throws.cpp"], sources, level, (), tmp_path).identical
        assert called == ["clang++", "cc-agent++", "cc-agent++"], option


def test_a_unit_that_does_not_compile_is_not_identical(sources: Path, tmp_path: Path) -> None:
    row = compare("missing.c", [str(discover().clang), "missing.c"], sources, "-O2", (), tmp_path)
    assert row.kind is Kind.NOT_COMPARED
    assert "missing.c" in row.problem


def _unit(directory: Path, source: str, library: str = "own") -> TranslationUnit:
    return TranslationUnit(library, Part.TRAINING, "c", source, directory, (source,))


def test_each_unit_sees_each_pair_of_flags_and_each_library_all_combinations(tmp_path: Path) -> None:
    units = [_unit(tmp_path, f"{name}.c", library) for library in ("one", "two") for name in "abc"]
    cases = plan_cases(units, ["-O0", "-Oz"])
    assert len({case.key for case in cases}) == len(cases) == 6 * 2 * 4
    for unit, level in itertools.product(units, ["-O0", "-Oz"]):
        sets = [case.flags for case in cases if (case.unit, case.level) == (unit, level)]
        for pair in itertools.combinations(FLAGS, 2):
            assert {tuple(flag in flags for flag in pair) for flags in sets} == set(
                itertools.product((True, False), repeat=2)
            )
    for library in ("one", "two"):
        assert len({case.flags for case in cases if case.unit.library == library}) == 8
    assert [case.unit.library for case in cases[:16:8]] == ["one", "two"]  # in turns


def test_a_run_goes_on_where_the_last_one_ended(
    sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = plan_cases([_unit(sources, "weigh.c"), _unit(sources, "missing.c")], ["-O1"])
    path = tmp_path / "comparisons.jsonl"
    state = State(path)
    run(cases, state, seconds=0.0)
    assert not state.done
    assert "8 combinations are still to do" in summary(cases, state)
    run(cases[:3], state)
    assert len(State(path).done) == 3
    monkeypatch.setattr(byte_identity, "_compare", lambda case, *rest: pytest.fail(f"{case} was done already"))
    run(cases[:3], State(path))
    monkeypatch.undo()
    run(cases, State(path))
    state = State(path)
    assert [state.done[case.key].identical for case in cases] == [True] * 4 + [False] * 4
    last = summary(cases, state).splitlines()[-1].split()
    assert last == ["1", "libraries", "2", "8", "8", "4", "0", "0", "0", "4"]
    monkeypatch.setattr(byte_identity, "_component", lambda: "another build")
    assert not State(path).done


def test_the_outcome_survives_the_state_file(tmp_path: Path) -> None:
    row = Comparison("own/a.c", "-Oz", ("-g", "-fPIC"), Kind.NOT_REPLAYED, 'a "reason"\nof two lines')
    (tmp_path / "state").write_text('{"component": "cut sh')  # a run that was killed while it wrote
    State(tmp_path / "state").add(row)
    State(tmp_path / "state").add(row)
    (kept,) = State(tmp_path / "state").done.values()
    assert kept == row
    assert Case(_unit(tmp_path, "a.c"), "-Oz", ("-g", "-fPIC")).key in State(tmp_path / "state").done


def test_a_time_limit_needs_a_state() -> None:
    with pytest.raises(SystemExit) as ended:
        byte_identity.main(["--seconds", "1"])
    assert ended.value.code == 2


def test_an_unknown_library_is_said() -> None:
    assert byte_identity.main(["--library", "no-such-library"]) == 2


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("make") is None, reason="libraries are configured with make")
def test_real_libraries() -> None:
    """At least 60 units of at least 6 libraries, every level, the whole design of flags."""
    command = [sys.executable, "-m", "compiler_agent.app.byte_identity", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout)
    assert figures["different"] == []
    assert done.returncode == 0
    assert figures["n_libraries"] >= 6
    assert figures["n_units"] >= 60
    assert figures["n_compared"] == figures["n_units"] * len(STOCK_PIPELINES) * len(FLAG_SETS[0])
