"""A program of benchmarks/, whose output is known for each of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.program import SHIPPED_LEVEL, Unit
from compiler_agent.app.program_linked import LinkedProgram
from compiler_agent.app.records import Record
from compiler_agent.evaluation import benchmark_build
from compiler_agent.evaluation.benchmark import Benchmark
from compiler_agent.evaluation.benchmark import Unit as Source
from compiler_agent.evaluation.difftest import Behaviour, Reference
from compiler_agent.llvm.toolchain import Toolchain


def of_benchmark(
    benchmark: Benchmark,
    toolchain: Toolchain,
    scratch: Path,
    flags: Sequence[str] = (),
    sources: Sequence[Source] | None = None,
    seed: int = 0,
) -> LinkedProgram:
    """A benchmark: the medium input is timed, the small one verifies what looks too good, the large one must be right.

    Args:
        benchmark: Which.
        toolchain: Whose clang.
        scratch: A directory for it to run in.
        flags: For all units and the link, beside the level: -march, a profile.
        sources: What it is made of; None: its own units. For a driver, see `library_driver.driver_units`.
        seed: Of its layouts.

    Raises:
        EngineError: A unit does not compile.
    """
    directory = scratch / "empty"
    directory.mkdir(parents=True)
    flags = (SHIPPED_LEVEL, *flags)
    units = []
    for source in benchmark.units() if sources is None else sources:
        argv = (*benchmark_build.compile_argv(source, flags, toolchain), "-c", "-o", "-")
        unit = Unit.of(Record(str(source.directory), source.source, "speed", argv))
        units.append((unit, f"{source.directory}/{source.source}"))
    linker = toolchain.clangxx if benchmark.language == "c++" else toolchain.clang
    link = (str(linker), *flags, *(word for _, word in units), *benchmark.link_flags)
    inputs = [benchmark.input(size) for size in ("medium", "small", "large")]
    references = [
        Reference(benchmark.workload(given), Behaviour(0, given.expected.encode()), stderr_is_stable=False)
        for given in inputs
    ]
    workloads = [reference.workload for reference in references[:2]]
    return LinkedProgram(benchmark.name, units, link, directory, benchmark.name, workloads, references, seed)
