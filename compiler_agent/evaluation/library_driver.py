"""The translation units of a driver: its own, and those of the library that it exercises, fetched and configured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation import libraries
from compiler_agent.evaluation.benchmark import Benchmark, Unit
from compiler_agent.evaluation.library_build import configured_units, plain_compiler
from compiler_agent.llvm.toolchain import Toolchain

_PLACE = "{library}"
"""In a driver's flags: the library's directory."""


def driver_units(
    benchmark: Benchmark, place: Path, toolchain: Toolchain, *, cache: Path | None = None
) -> tuple[Unit, ...]:
    """Brings the library's sources to a directory and lists what the driver is built of, its own units first.

    Args:
        benchmark: One that has a `library`.
        place: A directory in which there is nothing of the library's name yet.
        toolchain: Whose clang the library is configured with.
        cache: Where fetched archives are kept; None: the user's cache.

    Raises:
        UsageError: There is no such library, or a pattern of `library_sources` matches none of its units.
        CompilerAgentError: It cannot be fetched or configured.
    """
    (library,) = libraries.select(libraries.load(), [benchmark.library])
    directory = place.absolute() / library.name
    configured = configured_units(library, directory, plain_compiler(toolchain), cache=cache)
    linked = {unit.source: unit for unit in configured if not benchmark.library_sources}
    for pattern in benchmark.library_sources:
        matching = {unit.source: unit for unit in configured if PurePosixPath(unit.source).match(pattern)}
        if not matching:
            raise UsageError(
                f"{benchmark.folder}/benchmark.toml: library_sources: no unit of {library.name} matches {pattern!r}",
                hint="`sources` of the library in libraries.toml says which there are",
            )
        linked |= matching
    own = [
        replace(unit, flags=tuple(flag.replace(_PLACE, str(directory)) for flag in unit.flags))
        for unit in benchmark.units()
    ]
    of_library = [
        Unit(unit.source, unit.directory, unit.language, (*unit.argv[:-1], *benchmark.library_flags))
        for unit in linked.values()
    ]
    return (*own, *of_library)
