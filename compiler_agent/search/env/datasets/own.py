"""What the repository has: kernels, and the modules of `llvm_ir_corpus`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.errors import UsageError
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets.dataset import source_benchmark

_ROOT = Path(__file__).resolve().parents[4]


@dataclass(frozen=True, slots=True)
class Folder:
    """The sources of one kind below a directory, by path without the ending."""

    uri: str
    """As for any dataset."""
    description: str
    """As for any dataset."""
    directory: Path
    """Where they are."""
    ending: str
    """Of their names, with the dot."""
    left_out: frozenset[str] = frozenset()
    """Names that are no benchmarks."""

    def names(self) -> Iterator[str]:
        """In order."""
        return iter(_names(self))

    def benchmark(self, name: str) -> Benchmark:
        """One of them, by itself."""
        if name not in _names(self):
            raise UsageError(f"there is no {self.uri}/{name}", hint=f"`compiler-agent env list {self.uri}` names all")
        return source_benchmark(f"{self.uri}/{name}", self.directory / f"{name}{self.ending}")


@functools.cache  # each reset asks
def _names(folder: Folder) -> tuple[str, ...]:
    paths = sorted(folder.directory.rglob(f"*{folder.ending}"))
    names = (path.relative_to(folder.directory).as_posix().removesuffix(folder.ending) for path in paths)
    return tuple(name for name in names if name not in folder.left_out)


KERNELS = Folder(
    "benchmark://kernels-v0",
    "small loop nests of benchmarks/kernels",
    _ROOT / "benchmarks" / "kernels",
    ".c",
    frozenset({"driver"}),
)
IR_CORPUS = Folder(
    "benchmark://ir-corpus-v0",
    "hand-written modules of llvm_ir_corpus, a few instructions each",
    _ROOT / "llvm_ir_corpus",
    ".ll",
)
