"""Drivers of real libraries: what they are built of. What needs the network is marked nightly."""

from dataclasses import replace
from pathlib import Path

import pytest

from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation import benchmark as benchmarks
from compiler_agent.evaluation import library_driver
from compiler_agent.evaluation.benchmark import BENCHMARKS, SIZES, Benchmark
from compiler_agent.evaluation.benchmark_build import build, execute
from compiler_agent.evaluation.libraries import Library, TranslationUnit, load, select, translation_units
from compiler_agent.evaluation.library_driver import driver_units
from compiler_agent.llvm.toolchain import discover

FOLDERS = sorted((BENCHMARKS / "drivers").glob("*/"))


def a_driver(folder: Path) -> Benchmark:
    """Of a library that is called zlib, of which it needs one of two sources."""
    (folder / "driver.c").write_text('#include "answer.h"\nint main(void) { return answer() != N; }\n')
    return replace(
        benchmarks.load(BENCHMARKS / "programs" / "gemm"),
        folder=folder,
        sources=("driver.c",),
        flags=("-I{library}", "-DN=42"),
        library="zlib",
        library_sources=("answer.c",),
        library_flags=("-DTWO=2",),
    )


@pytest.fixture
def a_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands for what is fetched."""

    def configured(library: Library, directory: Path, *_: object, **__: object) -> list[TranslationUnit]:
        directory.mkdir(parents=True)
        (directory / "answer.h").write_text("int answer(void);\n")
        (directory / "answer.c").write_text('#include "answer.h"\nint answer(void) { return ANSWER + TWO; }\n')
        (directory / "main.c").write_text("int main(void) { return 9; }\n")
        return translation_units(replace(library, flags=("-DANSWER=40",), exclude=()), directory)

    monkeypatch.setattr(library_driver, "configured_units", configured)


@pytest.mark.usefixtures("a_library")
def test_a_driver_is_built_with_the_part_of_the_library_that_it_needs(tmp_path: Path) -> None:
    benchmark = a_driver(tmp_path)
    units = driver_units(benchmark, tmp_path / "place", discover())
    assert [unit.source for unit in units] == ["driver.c", "answer.c"]
    assert units[0].flags == (f"-I{tmp_path / 'place' / 'zlib'}", "-DN=42")
    program = build(benchmark, tmp_path, ["-O1"], discover(), units=units)
    execute(program, replace(benchmark.inputs[0], expected=""))


@pytest.mark.usefixtures("a_library")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"library_sources": ("answer.c", "gone*.c")}, r"no unit of zlib matches 'gone\*\.c'"),
        ({"library": "gone"}, "there is no library 'gone'"),
    ],
)
def test_what_is_not_there_is_said(tmp_path: Path, change: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        driver_units(replace(a_driver(tmp_path), **change), tmp_path / "place", discover())


def test_drivers_are_in_the_part_of_their_library() -> None:
    drivers = [benchmark for benchmark in benchmarks.load_all() if benchmark.library]
    assert len(drivers) == len(FOLDERS) > 0
    for benchmark in drivers:
        (library,) = select(load(), [benchmark.library])
        assert benchmark.part is library.part, benchmark.name


@pytest.mark.nightly
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_drivers_print_what_they_must(folder: Path, tmp_path: Path) -> None:
    benchmark = benchmarks.load(folder)
    units = driver_units(benchmark, tmp_path / "library", discover())
    for level in ("-O0", "-O3"):
        program = build(benchmark, tmp_path, [level], discover(), units=units)
        for size in SIZES:
            execute(program, benchmark.input(size))
