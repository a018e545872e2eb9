"""The plugin alone changes nothing: no plan, or the stock plan, is clang's own object at every level."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from compiler_agent.app import byte_identity
from compiler_agent.app.byte_identity import FLAG_SETS, STOCK_PIPELINES, compare
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
    ("name", "flag_sets"), [("floats.c", FLAG_SETS), ("weigh.c", FLAG_SETS[:1]), ("throws.cpp", FLAG_SETS[-1:])]
)
def test_no_plan_and_the_stock_plan_are_clangs_own_object(
    sources: Path, tmp_path: Path, name: str, flag_sets: Sequence[tuple[str, ...]], level: str
) -> None:
    toolchain = discover()
    clang = toolchain.clangxx if name.endswith(".cpp") else toolchain.clang
    for flags in flag_sets:
        row = compare(name, [str(clang), name], sources, level, flags, tmp_path)
        assert row.problem == ""
        assert row.without_plan, f"{name} {level} {flags}: the empty lock changes the object"
        assert row.with_stock_plan, f"{name} {level} {flags}: the stock plan changes the object"


def test_the_comparison_sees_a_plan_that_is_not_the_stock_plan(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STOCK_PIPELINES, "-O2", "O0")
    row = compare("floats.c", [str(discover().clang), "floats.c"], sources, "-O2", (), tmp_path)
    assert row.without_plan
    assert not row.with_stock_plan
    assert not row.identical


def test_the_comparison_says_when_the_stock_plan_was_not_replayed(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STOCK_PIPELINES, "-O2", "O7")
    row = compare("floats.c", [str(discover().clang), "floats.c"], sources, "-O2", (), tmp_path)
    assert not row.with_stock_plan
    assert "was not replayed" in row.problem
    assert "O7" in row.problem


def test_a_unit_that_does_not_compile_is_not_identical(sources: Path, tmp_path: Path) -> None:
    row = compare("missing.c", [str(discover().clang), "missing.c"], sources, "-O2", (), tmp_path)
    assert not row.identical
    assert "missing.c" in row.problem


def test_an_unknown_library_is_said() -> None:
    assert byte_identity.main(["--library", "no-such-library"]) == 2


@pytest.mark.nightly
@pytest.mark.skipif(shutil.which("make") is None, reason="libraries are configured with make")
def test_real_libraries() -> None:
    """At least 60 units of at least 6 libraries, every level, every set of flags."""
    command = [sys.executable, "-m", "compiler_agent.app.byte_identity", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    figures = json.loads(done.stdout)
    assert figures["different"] == []
    assert done.returncode == 0
    assert figures["n_libraries"] >= 6
    assert figures["n_units"] >= 60
    assert figures["n_compared"] == figures["n_units"] * len(STOCK_PIPELINES) * len(FLAG_SETS)
