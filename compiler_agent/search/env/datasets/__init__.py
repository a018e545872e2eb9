"""Benchmarks by URI, as CompilerGym has them: `scheme://dataset/name`; the scheme `benchmark` need not be written.

benchmark://kernels-v0/adler                       a small loop nest of benchmarks/kernels
generator://csmith-v0/17                           Csmith's program of that seed
file:///tmp/unit.c                                 a C or C++ source, or a module of LLVM IR (.ll, .bc)
file:///project/compile_commands.json#src/a.c      a unit as its project compiles it
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from compiler_agent.base.errors import UsageError
from compiler_agent.search.env.benchmark import Benchmark
from compiler_agent.search.env.datasets.dataset import Dataset, source_benchmark
from compiler_agent.search.env.datasets.files import COMMANDS, CompilationDatabase, Directory
from compiler_agent.search.env.datasets.generators import Csmith, LlvmStress
from compiler_agent.search.env.datasets.own import IR_CORPUS, KERNELS
from compiler_agent.search.env.datasets.programs import Libraries, Programs
from compiler_agent.search.env.datasets.whole import Whole

DATASETS: tuple[Dataset, ...] = (KERNELS, Programs(), Libraries(), Whole(), IR_CORPUS, Csmith(), LlvmStress())
"""All that have a name; files and directories have none."""


def find(uri: str) -> Benchmark:
    """The benchmark of a URI.

    Raises:
        UsageError: There is none; the hint says what there is.
    """
    uri, path = _parts(uri)
    if uri.startswith("file:"):
        if path.name == COMMANDS:
            return CompilationDatabase(path).benchmark(unquote(urlsplit(uri).fragment))
        return source_benchmark(uri, path)
    for dataset in DATASETS:
        if uri.startswith(f"{dataset.uri}/"):
            return dataset.benchmark(unquote(uri.removeprefix(f"{dataset.uri}/")))
    raise UsageError(f"there is no dataset for {uri}", hint=_KNOWN)


def find_dataset(uri: str) -> Dataset:
    """The dataset of a URI: a named one, a directory, or a compilation database.

    Raises:
        UsageError: There is none; the hint says what there is.
    """
    uri, path = _parts(uri)
    if uri.startswith("file:"):
        if path.name == COMMANDS and not urlsplit(uri).fragment:
            return CompilationDatabase(path)
        if path.is_dir():
            return Directory(path)
    for dataset in DATASETS:
        if uri.rstrip("/") == dataset.uri:
            return dataset
    raise UsageError(f"{uri} is no dataset", hint=_KNOWN)


def uris(dataset: Dataset) -> Iterator[str]:
    """The URIs of a dataset's benchmarks."""
    joint = "#" if isinstance(dataset, CompilationDatabase) else "/"
    return (f"{dataset.uri}{joint}{name}" for name in dataset.names())


def _parts(uri: str) -> tuple[str, Path]:
    uri = uri if "://" in uri else f"benchmark://{uri}"
    return uri, Path(unquote(urlsplit(uri).path))


_KNOWN = f"one of: {', '.join(one.uri for one in DATASETS)}, or a file or directory as file:///PATH"
