"""Real code: our own programs, whose outputs are known, and libraries, which are fetched when first asked for."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import directory_turn, file_error
from compiler_agent.evaluation import benchmark as programs
from compiler_agent.evaluation import libraries
from compiler_agent.evaluation.benchmark import Part
from compiler_agent.evaluation.benchmark_build import FIXED_FLAGS
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.evaluation.library_build import configured_units, plain_compiler
from compiler_agent.search.env.benchmark import Benchmark, Program
from compiler_agent.search.env.datasets.dataset import digest_of, source_benchmark, toolchain

_INPUT = "small"
_CONFIGURED = "cc-agent-configured.stamp"
_TURN_TIMEOUT_S = 1200.0


@dataclass(frozen=True, slots=True)
class Programs:
    """The units of benchmarks/programs. A program of one unit can be validated as a whole."""

    uri: str = "benchmark://programs-v0"
    """As for any dataset."""
    description: str = "programs of benchmarks/programs, as NAME/SOURCE"
    """As for any dataset."""

    def names(self) -> Iterator[str]:
        """In order."""
        return self.names_of(*Part)

    def names_of(self, *parts: Part) -> Iterator[str]:
        """Those that are training, held out, or both, in order."""
        for program in _programs():
            if program.part in parts and not program.library:
                yield from (f"{program.name}/{source}" for source in program.sources)

    def benchmark(self, name: str) -> Benchmark:
        """One unit."""
        for program in _programs():
            for unit in program.units():
                if f"{program.name}/{unit.source}" == name and not program.library:
                    alone = _alone(program) if len(program.sources) == 1 else None
                    flags = (*FIXED_FLAGS, *unit.flags)
                    return source_benchmark(f"{self.uri}/{name}", unit.directory / unit.source, flags, alone)
        raise UsageError(f"there is no {self.uri}/{name}", hint=f"`compiler-agent env list {self.uri}` names all")


@dataclass(frozen=True, slots=True)
class Libraries:
    """Every unit of the pinned libraries as the library's own build compiles it; they stay in the user's cache."""

    uri: str = "benchmark://libs-v0"
    """As for any dataset."""
    description: str = "the units of benchmarks/libraries.toml as LIBRARY/SOURCE; fetched on first use"
    """As for any dataset."""

    def names(self) -> Iterator[str]:
        """All units, library by library; fetches those that are not there."""
        return self.names_of(*Part)

    def names_of(self, *parts: Part) -> Iterator[str]:
        """Those of libraries that are training, held out, or both; fetches what is not there of these alone."""
        for library in _libraries():
            if library.part in parts:
                yield from (unit.name for unit in _units(library))

    def benchmark(self, name: str) -> Benchmark:
        """One unit."""
        library_name, _, source = name.partition("/")
        (library,) = libraries.select(_libraries(), [library_name])
        for unit in _units(library):
            if unit.source == source:
                clang = toolchain().clangxx if unit.language == "c++" else toolchain().clang
                argv = (str(clang), "-Qunused-arguments", "-w", *unit.argv[:-1], "-c", "-o", "-", unit.argv[-1])
                return Benchmark(f"{self.uri}/{name}", argv, unit.directory, digest_of(unit.directory / source))
        raise UsageError(f"{library_name} has no unit {source}", hint=f"as {self.uri}/zlib/deflate.c")


def library_units(name: str) -> list[TranslationUnit]:
    """The units of one library, which is fetched and configured where it is not there.

    Raises:
        UsageError: There is no such library.
    """
    (library,) = libraries.select(_libraries(), [name])
    return _units(library)


@functools.cache  # each reset asks
def _programs() -> tuple[programs.Benchmark, ...]:
    return programs.load_all()


@functools.cache
def _libraries() -> tuple[libraries.Library, ...]:
    return libraries.load()


def _alone(program: programs.Benchmark) -> Program:
    clang = toolchain().clangxx if program.language == "c++" else toolchain().clang
    link = (str(clang), "-fuse-ld=lld", "{object}", "-o", "{program}", *program.link_flags)
    return Program(program.name, link, program.workload(program.input(_INPUT)))


def _units(library: libraries.Library) -> list[TranslationUnit]:
    place = user_cache_directory() / "configured" / f"{library.name}-{library.version}-{library.sha256[:16]}"
    done = place / _CONFIGURED
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with directory_turn(place.parent, timeout_s=_TURN_TIMEOUT_S):
            if not done.is_file():
                # In its place from the beginning: what configure writes names the directory.
                shutil.rmtree(place, ignore_errors=True)
                configured_units(library, place, plain_compiler(toolchain()))
                done.touch()
    except OSError as error:
        raise file_error("write", place, error) from error
    return libraries.translation_units(library, place)
