"""Datasets of one's own: a directory of sources or of bitcode, and a compilation database."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error
from compiler_agent.llvm.launcher import described
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets.dataset import LANGUAGES, digest_of, source_benchmark

COMMANDS = "compile_commands.json"
"""The file name of a compilation database."""


@dataclass(frozen=True, slots=True)
class Directory:
    """All sources and modules of LLVM IR below a directory, each compiled by itself and without flags."""

    directory: Path
    """Absolute."""

    @property
    def uri(self) -> str:
        """`file://` and its path."""
        return f"file://{quote(str(self.directory))}"

    @property
    def description(self) -> str:
        """Says so."""
        return "sources and modules of LLVM IR in a directory"

    def names(self) -> Iterator[str]:
        """Paths relative to it, sorted."""
        files = (path for path in self.directory.rglob("*") if path.suffix in LANGUAGES and path.is_file())
        return iter(sorted(quote(path.relative_to(self.directory).as_posix()) for path in files))

    def benchmark(self, name: str) -> Benchmark:
        """One of them."""
        return source_benchmark(f"{self.uri}/{quote(name)}", self.directory / name)


@dataclass(frozen=True, slots=True)
class CompilationDatabase:
    """The units of a `compile_commands.json`, each compiled as its project does but for the optimization level."""

    path: Path
    """The file, absolute."""

    @property
    def uri(self) -> str:
        """`file://` and its path; a unit's name follows as a fragment: `file:///project/compile_commands.json#src/a.c`."""
        return f"file://{quote(str(self.path))}"

    @property
    def description(self) -> str:
        """Says so."""
        return "the units of a compilation database"

    def names(self) -> Iterator[str]:
        """The sources as they stand there, sorted."""
        return iter(sorted({quote(row["file"]) for row in self._rows()}))

    def benchmark(self, name: str) -> Benchmark:
        """The first unit with that source."""
        for row in self._rows():
            if row["file"] == name:
                return self._unit(name, row)
        raise UsageError(f"{self.path} has no unit {name}", hint="`compiler-agent env list` names all")

    def _unit(self, name: str, row: dict[str, Any]) -> Benchmark:
        _, *arguments = row.get("arguments") or shlex.split(row["command"])
        directory = self.path.parent / row["directory"]
        understood = described(arguments, directory)
        units = [source["tune_argv"] for source in understood["sources"] if source.get("tune_argv")]
        if len(units) != 1:
            raise UsageError(f"{self.path}: cannot compile {name} alone: {understood.get('reason') or 'no one source'}")
        return Benchmark(f"{self.uri}#{quote(name)}", tuple(units[0]), directory, digest_of(directory / name))

    def _rows(self) -> list[dict[str, Any]]:
        try:
            rows = json.loads(self.path.read_text())
        except OSError as error:
            raise file_error("read", self.path, error) from error
        except ValueError as error:
            raise UsageError(f"{self.path}: not JSON: {error}") from error
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and {"file", "directory"} <= row.keys() and row.keys() & {"arguments", "command"}
            for row in rows
        ):
            raise UsageError(f"{self.path}: not a compilation database", hint="its units have file, directory, command")
        return rows
