"""Benchmarks by URI: `scheme://dataset/path`, where the scheme `benchmark` need not be written.

benchmark://kernels-v0/adler     a small loop nest of benchmarks/kernels
file:///tmp/unit.c               a C or C++ source, or a module of LLVM IR (.ll, .bc)
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from compiler_agent.base.errors import UsageError
from compiler_agent.llvm.toolchain import discover
from compiler_agent.search.env.benchmark import Benchmark

_ROOT = Path(__file__).resolve().parents[3]
_LANGUAGES = {".c": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".ll": "ir", ".bc": "ir"}


class Dataset(Protocol):
    """Benchmarks that belong together."""

    uri: str
    """What its benchmarks' URIs begin with, without the slash: `benchmark://kernels-v0`."""
    description: str
    """What it is, in a line."""

    def paths(self) -> Iterator[str]:
        """What follows the dataset's name in the URI of each of its benchmarks; may be endless."""
        ...

    def benchmark(self, path: str) -> Benchmark:
        """One of them.

        Raises:
            UsageError: There is no such path.
        """
        ...


def source_benchmark(uri: str, source: Path, flags: tuple[str, ...] = ()) -> Benchmark:
    """A source file, or a module of LLVM IR, as a benchmark.

    Args:
        uri: Its name.
        source: The file.
        flags: For clang.

    Raises:
        UsageError: There is no such file, or its ending is that of no source.
    """
    language = _LANGUAGES.get(source.suffix)
    if language is None or not source.is_file():
        reason = "is no file" if language else f"is no source: its name ends in none of {', '.join(_LANGUAGES)}"
        raise UsageError(f"{uri}: {source} {reason}", hint="name a C or C++ source, or a module of LLVM IR")
    toolchain = discover()
    clang = toolchain.clangxx if language == "c++" else toolchain.clang
    argv = (str(clang), "-Qunused-arguments", "-w", *flags, "-c", "-o", "-", str(source))
    return Benchmark(uri, argv, source.parent)


class Kernels:
    """`benchmarks/kernels`: small loop nests."""

    uri = "benchmark://kernels-v0"
    description = "small loop nests of benchmarks/kernels"
    directory = _ROOT / "benchmarks" / "kernels"

    def paths(self) -> Iterator[str]:
        """The kernels' names."""
        yield from sorted(path.stem for path in self.directory.glob("*.c") if path.stem != "driver")

    def benchmark(self, path: str) -> Benchmark:
        """One kernel, without the program that times it."""
        return source_benchmark(f"{self.uri}/{path}", self.directory / f"{path}.c")


DATASETS: tuple[Dataset, ...] = (Kernels(),)
"""All that are found by a URI, files apart."""


def find(uri: str) -> Benchmark:
    """The benchmark of a URI.

    Raises:
        UsageError: There is none; the hint says what there is.
    """
    if "://" not in uri:
        uri = f"benchmark://{uri}"
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return source_benchmark(uri, Path(unquote(parts.path)))
    for dataset in DATASETS:
        if f"{parts.scheme}://{parts.netloc}" == dataset.uri:
            return dataset.benchmark(unquote(parts.path.lstrip("/")))
    raise UsageError(
        f"there is no dataset for {uri}", hint=f"one of: {', '.join(one.uri for one in DATASETS)}, file://"
    )
