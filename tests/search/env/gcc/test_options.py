"""GCC's options are read from what GCC prints of them."""

from __future__ import annotations

import re
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compiler_agent.search.env.gcc.compiler import find
from compiler_agent.search.env.gcc.options import Option, numbers, parse
from compiler_agent.search.env.gcc.reviewed import LEFT_OUT, production

FLAGS = """The following options control optimizations:
  -O<number>                  \t\t
  -Ofast                      \t\t
  -Os                         \t\t
  -falign-loops               \t\t[enabled]
  -falign-loops=              \t\t16:11:8
  -ffold-simple-inlines       \t\t[available in C++, ObjC++]
  -fgcse                      \t\t[enabled]
  -fhandle-exceptions         \t\t-fexceptions
  -fira-region=[one|all|mixed] \tone
  -flifetime-dse=<0,2>        \t\t2
  -fpatchable-function-entry= \t\t
  -fsched-stalled-insns=<number> \t
  -ftree-loop-if-convert      \t\t
  -fno-threadsafe-statics     \t\t[available in C++, ObjC++]
  -gstatement-frontiers       \t\t[disabled]
"""
PARAMETERS = """The following options control optimizations:
  --param=max-combine-insns=<2,4> \t\t4
  --param=max-unroll-times=   \t\t8
  --param=prefetch-minimum-stride= \t-1
  --param=vrp1-mode=          \t\tvrp
"""
DESCRIBED = """The following options control optimizations:
  --param=vrp1-mode=          --param=vrp1-mode=[vrp|ranger] Specifies the mode
                              VRP1 should operate in.
"""
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="GCC is not installed")


def test_each_kind_of_line() -> None:
    assert parse(FLAGS, PARAMETERS, DESCRIBED) == (
        Option("-O", ("-O0", "-O1", "-O2", "-O3", "-Ofast", "-Os"), "2"),
        Option("--param=max-combine-insns", tuple(f"--param=max-combine-insns={n}" for n in (2, 3, 4)), "4"),
        Option("--param=max-unroll-times", _words("--param=max-unroll-times", 0, 2, 4, 8, 16, 32, 128), "8"),
        Option("--param=prefetch-minimum-stride", _words("--param=prefetch-minimum-stride", 0, 1, 2, 4, 16), "-1"),
        Option("--param=vrp1-mode", ("--param=vrp1-mode=vrp", "--param=vrp1-mode=ranger"), "vrp"),
        Option(
            "-falign-loops",
            ("-falign-loops", "-fno-align-loops", *_words("-falign-loops", 1, 2, 4, 8, 16, 32, 64)),
            "16:11:8",
        ),
        Option("-fgcse", ("-fgcse", "-fno-gcse"), "enabled"),
        Option("-fira-region", ("-fira-region=one", "-fira-region=all", "-fira-region=mixed"), "one"),
        Option("-flifetime-dse", _words("-flifetime-dse", 0, 1, 2), "2"),
        Option("-fsched-stalled-insns", _words("-fsched-stalled-insns", 0, 1, 2, 4, 16), ""),
        Option("-ftree-loop-if-convert", ("-ftree-loop-if-convert", "-fno-tree-loop-if-convert"), ""),
    )


def _words(name: str, *values: int) -> tuple[str, ...]:
    return tuple(f"{name}={value}" for value in values)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9]", fullmatch=True).filter(lambda name: not name.startswith("no-")),
        st.sampled_from(["enabled", "disabled"]),
    )
)
def test_flags_are_had_back(flags: dict[str, str]) -> None:
    text = "".join(f"  -f{name:24} \t\t[{usual}]\n" for name, usual in flags.items())
    assert {option.name: option.usual for option in parse(text, "", "")} == {f"-f{n}": u for n, u in flags.items()}


@given(st.integers(-5, 10**6), st.integers(0, 10**7), st.integers(-1, 10**7))
def test_numbers_lie_in_their_range(low: int, extent: int, usual: int) -> None:
    found = numbers(low, low + extent, usual)
    assert found == sorted(set(found))
    assert low <= found[0] <= found[-1] <= low + extent
    assert 1 <= len(found) <= 8
    if low <= usual <= low + extent and usual > 0:
        assert usual in found


@needs_gcc
def test_this_gcc_has_options_of_each_kind() -> None:
    options = {option.name: option for option in find().options}
    assert {"-O0", "-O3", "-Os"} <= set(options["-O"].choices)
    assert options["-fgcse"] == Option("-fgcse", ("-fgcse", "-fno-gcse"), "enabled")
    assert "-fira-region=mixed" in options["-fira-region"].choices
    assert len(options["--param=max-unroll-times"].choices) > 4
    words = [word for option in options.values() for word in option.choices]
    assert len(words) == len(set(words)) > 500
    assert not any(re.search(r"[\s<>|\[\]]", word) for word in words)


@needs_gcc
def test_what_changes_what_a_build_promises_is_left_out() -> None:
    found = find().options
    kept = {option.name for option in production(found)}
    assert not kept & {f"-f{name}" for names in LEFT_OUT.values() for name in names}
    assert not any("asan" in name or name.endswith("-debug") for name in kept)
    assert {"-fgcse", "-finline", "-fivopts", "--param=max-unroll-times"} <= kept
    (level,) = (option for option in production(found) if option.name == "-O")
    assert "-Ofast" not in level.choices
    assert "-Os" in level.choices
