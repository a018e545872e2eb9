"""A profile is made by running an instrumented program; where time goes is seen from it, and clang uses it."""

import subprocess
from pathlib import Path

import pytest

from compiler_agent.base.errors import NotEstablished
from compiler_agent.evaluation.hot import HotFunction, hot_functions, hot_units
from compiler_agent.evaluation.profile import GENERATE, Profile, collect
from compiler_agent.llvm.replay import compile_plainly, key_of, replay
from compiler_agent.llvm.stock import speed_levels
from compiler_agent.llvm.toolchain import Toolchain, discover

MAIN = """
#include <stdio.h>
#include <stdlib.h>
int once(int);
static int slow(int n) {
  int s = 0;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      s += (i ^ j) % 7;
  return s;
}
static int quick(int n) {
  int s = 0;
  for (int i = 0; i < n; i++)
    s += i * i;
  return s;
}
int main(int argc, char **argv) {
  int n = atoi(argv[1]);
  printf("%d\\n", slow(n) + quick(n) + once(n));
  return n < 0;
}
"""
OTHER = "int never(int n) { for (int i = 0; i < n; i++) n ^= i; return n; }\nint once(int n) { return n + 1; }\n"


@pytest.fixture(scope="module")
def toolchain() -> Toolchain:
    return discover()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, toolchain: Toolchain) -> Path:
    """A directory with an instrumented program of two units."""
    directory = tmp_path_factory.mktemp("program")
    (directory / "main.c").write_text(MAIN)
    (directory / "other.c").write_text(OTHER)
    command = [toolchain.clang, "-O3", GENERATE, "main.c", "other.c", "-o", "program"]
    subprocess.run(command, cwd=directory, check=True)
    return directory


@pytest.fixture(scope="module")
def profile(place: Path, toolchain: Toolchain) -> Profile:
    return collect(place / "program", ["300"], place, toolchain)


def argv(toolchain: Toolchain, source: str) -> list[str]:
    return [str(toolchain.clang), "-O3", "-c", "-o", "-", source]


@pytest.fixture(scope="module")
def functions(place: Path, toolchain: Toolchain, profile: Profile) -> tuple[HotFunction, ...]:
    units = {source: (argv(toolchain, source), place) for source in ("main.c", "other.c")}
    return hot_functions(units, profile, toolchain)


def test_time_is_where_the_inner_loop_is(functions: tuple[HotFunction, ...]) -> None:
    slow, quick = functions[:2]
    assert (slow.unit, slow.name, slow.n_loops) == ("main.c", "slow", 2)
    assert slow.share > 0.98
    assert (quick.name, quick.n_loops) == ("quick", 1)
    # 300 rounds of the outer loop, each with 300 of the inner one: about 300 times as much.
    assert 150 < slow.share / quick.share < 900
    assert sum(function.share for function in functions) == pytest.approx(1)
    main = next(function for function in functions if function.name == "main")
    assert main.calls == (0, 1, 2)  # atoi of the C library's header, slow, quick; not once and printf
    assert "never" not in {function.name for function in functions}


def test_cold_units_get_no_plan(functions: tuple[HotFunction, ...]) -> None:
    assert list(hot_units(functions)) == ["main.c"]
    assert set(hot_units(functions)["main.c"]) == {"slow", "quick", "main"}


def test_the_same_run_gives_the_same_profile(place: Path, toolchain: Toolchain, profile: Profile) -> None:
    assert collect(place / "program", ["300"], place, toolchain) == profile
    assert profile.path.name == f"{profile.sha256}.profdata"
    assert collect(place / "program", ["301"], place, toolchain) != profile


def test_a_plan_goes_on_top_of_the_profile(place: Path, toolchain: Toolchain, profile: Profile) -> None:
    plain, guided = argv(toolchain, "main.c"), [*argv(toolchain, "main.c"), *profile.flags]
    assert compile_plainly(plain, place) != compile_plainly(guided, place)
    key = key_of(guided, place)
    assert key != key_of(plain, place)
    assert replay(guided, place, key, "-passes=default<O3>").content == compile_plainly(guided, place)


def test_a_program_that_fails_gives_no_profile(place: Path, toolchain: Toolchain) -> None:
    with pytest.raises(NotEstablished, match="ended with status 1"):
        collect(place / "program", ["-1"], place, toolchain)
    subprocess.run([toolchain.clang, "main.c", "other.c", "-o", "plain"], cwd=place, check=True)
    (place / "empty").mkdir()
    with pytest.raises(NotEstablished, match="wrote no profile"):
        collect(place / "plain", ["3"], place / "empty", toolchain)


def test_stock_configurations_with_a_profile_are_also_without(
    place: Path, toolchain: Toolchain, profile: Profile
) -> None:
    plain, guided = argv(toolchain, "main.c"), [*argv(toolchain, "main.c"), *profile.flags]
    levels = speed_levels(with_profile=True)
    assert levels[:2] == speed_levels()
    objects = [compile_plainly(guided, place, *level.split()) for level in levels]
    assert objects[0] != objects[2]
    assert objects[1] != objects[3]
    assert objects[2:] == [compile_plainly(plain, place, level) for level in levels[:2]]
