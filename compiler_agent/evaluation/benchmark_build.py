"""Builds a benchmark with plain clang, and runs it on an input whose output is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.process import Completed, check, run
from compiler_agent.evaluation.benchmark import Benchmark, Input, Unit
from compiler_agent.llvm.toolchain import Toolchain

FIXED_FLAGS = ("-ffp-contract=off",)
"""Every build has these, baseline and candidate: outputs are the same whether the CPU has fused multiply-add or not."""
_COMPILE_TIMEOUT_S = 300.0
_RUN_TIMEOUT_S = 120.0
_MEMORY_BYTES = 4 << 30


def compile_argv(unit: Unit, flags: Sequence[str], toolchain: Toolchain) -> tuple[str, ...]:
    """The command, without -c and -o, that compiles a unit in its directory."""
    compiler = toolchain.clangxx if unit.language == "c++" else toolchain.clang
    return (str(compiler), *flags, *FIXED_FLAGS, *unit.flags, unit.source)


def build(
    benchmark: Benchmark,
    directory: Path,
    flags: Sequence[str],
    toolchain: Toolchain,
    *,
    units: Sequence[Unit] | None = None,
) -> Path:
    """Compiles a benchmark's units to objects in a directory and links them to a program of the benchmark's name.

    Args:
        benchmark: What to build.
        directory: An existing directory for objects (`Unit.object_name`) and program.
        flags: For compiling and linking: the optimization level and what belongs to it.
        toolchain: Whose clang to use.
        units: What it is made of; None: its own units. For a driver, see `library_driver.driver_units`.

    Raises:
        ToolError: Something does not compile or link.
    """
    directory = directory.absolute()
    objects = []
    for unit in benchmark.units() if units is None else units:
        objects.append(str(directory / unit.object_name))
        argv = (*compile_argv(unit, flags, toolchain), "-c", "-o", objects[-1])
        check(argv, cwd=unit.directory, timeout_s=_COMPILE_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
    return link(benchmark, objects, directory / benchmark.name, flags, toolchain)


def link(
    benchmark: Benchmark, objects: Sequence[str], program: Path, flags: Sequence[str], toolchain: Toolchain
) -> Path:
    """Links objects to a benchmark's program.

    Raises:
        ToolError: They cannot be linked.
    """
    linker = toolchain.clangxx if benchmark.language == "c++" else toolchain.clang
    argv = (str(linker), *flags, *objects, "-o", str(program), *benchmark.link_flags)
    check(argv, timeout_s=_COMPILE_TIMEOUT_S, memory_bytes=_MEMORY_BYTES)
    return program


def execute(program: Path, given: Input, *, memory_bytes: int | None = _MEMORY_BYTES) -> Completed:
    """Runs a program on an input and makes sure that it prints what it must.

    Args:
        program: What `build` made.
        given: The input.
        memory_bytes: Of its address space; None: no limit, which programs with a sanitizer need.

    Raises:
        NotEstablished: It fails, does not end, or prints something else.
    """
    done = run(
        [program, *given.arguments],
        timeout_s=_RUN_TIMEOUT_S,
        memory_bytes=memory_bytes,
        input=given.stdin.encode() or None,
    )
    printed = done.stdout.decode("utf-8", "replace")
    if done.status != 0 or printed != given.expected:
        how = "did not end" if done.timed_out else f"ended with status {done.status}"
        tail = done.stderr[-2000:].decode("utf-8", "replace")
        raise NotEstablished(
            f"{program} on input {given.name} {how} and printed\n{printed}{tail}instead of\n{given.expected}",
            hint="this build of it is wrong, or the benchmark's behaviour is not defined",
        )
    return done
