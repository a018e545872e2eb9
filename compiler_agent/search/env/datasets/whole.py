"""A whole library as one unit: what link-time optimization sees, and larger than any single source of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error, write_atomically
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets.dataset import source_benchmark
from compiler_agent.search.env.datasets.programs import library_units

_TOGETHER = ("lua",)
"""Libraries whose sources can stand in one: no two of them give one name to different things."""
_PROGRAMS = frozenset({"lua.c", "luac.c"})
"""Sources with a `main` of their own."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Libraries, each in one source that includes all of its sources."""

    uri: str = "benchmark://whole-v0"
    """As for any dataset."""
    description: str = "all sources of a library as one unit; fetched on first use"
    """As for any dataset."""

    def names(self) -> Iterator[str]:
        """In order."""
        return iter(_TOGETHER)

    def benchmark(self, name: str) -> Benchmark:
        """One library."""
        if name not in _TOGETHER:
            raise UsageError(f"there is no {self.uri}/{name}", hint=f"one of: {', '.join(_TOGETHER)}")
        units = [unit for unit in library_units(name) if unit.source not in _PROGRAMS]
        path = user_cache_directory() / "whole" / f"{units[0].directory.name}.c"
        text = "".join(f'#include "{unit.directory / unit.source}"\n' for unit in units)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_text() != text:
                write_atomically(path, text.encode())
        except OSError as error:
            raise file_error("write", path, error) from error
        return source_benchmark(f"{self.uri}/{name}", path, tuple(units[0].argv[:-1]))
