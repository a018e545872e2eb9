"""Every program prints what its file says, whatever the optimization level, and has no undefined behaviour."""

import functools
from pathlib import Path

import pytest

from compiler_agent.base.errors import NotEstablished
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.benchmark import BENCHMARKS, SIZES, Benchmark, load
from compiler_agent.evaluation.benchmark_build import build, execute
from compiler_agent.llvm.toolchain import discover

FOLDERS = sorted((BENCHMARKS / "programs").glob("*/"))
programs = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
# At -O0 the large inputs take up to half a minute.
LEVELS = ((("-O0",), SIZES[:2]), (("-O2",), SIZES), (("-O3",), SIZES), (("-O3", "-march=native"), SIZES))
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


toolchain = functools.cache(discover)


def _built(benchmark: Benchmark, place: Path, *flags: str) -> Path:
    return build(benchmark, place, flags, toolchain())


def test_there_are_programs() -> None:
    assert len(FOLDERS) >= 40


@programs
@pytest.mark.parametrize("level", ["-O0", "-O3"])
def test_small_input(folder: Path, level: str, tmp_path: Path) -> None:
    benchmark = load(folder)
    execute(_built(benchmark, tmp_path, level), benchmark.input("small"))


@pytest.mark.nightly
@programs
def test_all_inputs(folder: Path, tmp_path: Path) -> None:
    benchmark = load(folder)
    for flags, sizes in LEVELS:
        program = _built(benchmark, tmp_path, *flags)
        for size in sizes:
            execute(program, benchmark.input(size))


@pytest.mark.nightly
@programs
def test_sanitizers_report_nothing(folder: Path, tmp_path: Path) -> None:
    benchmark = load(folder)
    program = _built(benchmark, tmp_path, *SANITIZERS, "-Wall", "-Wextra", "-Werror")
    done = execute(program, benchmark.input("small"), memory_bytes=None)
    assert done.stderr == b""


def test_wrong_output_is_noticed(tmp_path: Path) -> None:
    benchmark = load(BENCHMARKS / "programs" / "lu")
    program = _built(benchmark, tmp_path, "-O1")
    small, medium = benchmark.inputs[:2]
    execute(program, small)
    other = type(small)(small.name, small.arguments, "", medium.expected)
    with pytest.raises(NotEstablished, match="on input small ended with status 0 and printed"):
        execute(program, other)


def test_the_workload_runs_where_the_program_was_built(tmp_path: Path) -> None:
    benchmark = load(BENCHMARKS / "programs" / "matrix-chain")
    _built(benchmark, tmp_path, "-O1")
    seen = difftest.observe(benchmark.workload(benchmark.inputs[0]), tmp_path)
    assert seen.stdout.decode() == benchmark.inputs[0].expected
