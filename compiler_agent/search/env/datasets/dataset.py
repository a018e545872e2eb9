"""What a dataset is, and a source file as a benchmark."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error
from compiler_agent.llvm.toolchain import Toolchain, discover
from compiler_agent.search.env.benchmark import Benchmark, Program

LANGUAGES = {".c": "c", ".cc": "c++", ".cpp": "c++", ".cxx": "c++", ".ll": "ir", ".bc": "ir"}
"""By a file name's ending."""


class Dataset(Protocol):
    """Benchmarks that belong together."""

    @property
    def uri(self) -> str:
        """What its benchmarks' URIs begin with, the last slash apart: `benchmark://kernels-v0`."""
        ...

    @property
    def description(self) -> str:
        """What it is, in a line."""
        ...

    def names(self) -> Iterator[str]:
        """What follows in the URI of each of its benchmarks; may be endless."""
        ...

    def benchmark(self, name: str) -> Benchmark:
        """One of them.

        Raises:
            UsageError: There is none of that name.
        """
        ...


@functools.cache
def toolchain() -> Toolchain:
    """LLVM, found once."""
    return discover()


def source_benchmark(uri: str, source: Path, flags: tuple[str, ...] = (), program: Program | None = None) -> Benchmark:
    """A source file, or a module of LLVM IR, as a benchmark.

    Args:
        uri: Its name.
        source: The file.
        flags: For clang.
        program: How to see what it does, if that is known.

    Raises:
        UsageError: There is no such file, or its name's ending is that of no source.
    """
    language = LANGUAGES.get(source.suffix)
    if language is None or not source.is_file():
        reason = "is no file" if language else f"is no source: its name ends in none of {', '.join(LANGUAGES)}"
        raise UsageError(f"{uri}: {source} {reason}", hint="name a C or C++ source, or a module of LLVM IR")
    clang = toolchain().clangxx if language == "c++" else toolchain().clang
    argv = (str(clang), "-Qunused-arguments", "-w", *flags, "-c", "-o", "-", str(source))
    return Benchmark(uri, argv, source.parent, digest_of(source), program)


def digest_of(source: Path) -> str:
    """SHA-256 of a file, in hexadecimal.

    Raises:
        FileError: It cannot be read.
    """
    try:
        return hashlib.sha256(source.read_bytes()).hexdigest()
    except OSError as error:
        raise file_error("read", source, error) from error
