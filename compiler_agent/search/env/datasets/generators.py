"""Endless datasets: a seed is a program. What was generated is kept in the user's cache, by generator and seed."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.config import user_cache_directory
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error, labelled_digest
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.generated import (
    CSMITH_FLAGS,
    CSMITH_OPTIONS,
    STRESS_SIZES,
    csmith_version,
    stress_module,
    write_csmith,
)
from compiler_agent.search.env.benchmark import Benchmark, Program
from compiler_agent.search.env.datasets.dataset import source_benchmark, toolchain

MOST_BYTES = 512 << 20
"""What generated programs may take in the cache: some ten thousand of them."""
IN_USE_S = 3600.0
"""A program that was asked for so many seconds ago may still be compiled."""
_LOOKS_EACH = 100
"""After so many new programs, and after a process's first, the cache is looked at."""
_writes = itertools.count()


@dataclass(frozen=True, slots=True)
class Csmith:
    """Csmith's programs, which print a checksum of what they computed: each can be validated as a whole."""

    uri: str = "generator://csmith-v0"
    """As for any dataset."""
    description: str = "Csmith's C programs by seed, without undefined behaviour"
    """As for any dataset."""

    def names(self) -> Iterator[str]:
        """Seeds, from 0 on."""
        return map(str, itertools.count())

    def benchmark(self, name: str) -> Benchmark:
        """The program of a seed."""
        seed = _seed(self.uri, name)
        identity = labelled_digest("csmith-v1", version=csmith_version(), options=" ".join(CSMITH_OPTIONS))
        source = _kept(f"csmith-{identity[:16]}/{seed}.c", lambda path: write_csmith(seed, path.parent, path.name))
        link = (str(toolchain().clang), "-fuse-ld=lld", "{object}", "-o", "{program}")
        program = Program("program", link, Workload("./program", timeout_s=5.0, slack_s=3.0, n_reference_runs=2))
        return source_benchmark(f"{self.uri}/{seed}", source, CSMITH_FLAGS, program)


@dataclass(frozen=True, slots=True)
class LlvmStress:
    """llvm-stress's modules, whose behaviour is not defined: nothing can be validated of what they do."""

    uri: str = "generator://llvm-stress-v0"
    """As for any dataset."""
    description: str = "llvm-stress's modules by seed; their behaviour is not defined"
    """As for any dataset."""

    def names(self) -> Iterator[str]:
        """Seeds, from 0 on."""
        return map(str, itertools.count())

    def benchmark(self, name: str) -> Benchmark:
        """The module of a seed."""
        seed = _seed(self.uri, name)
        identity = labelled_digest("llvm-stress-v1", llvm=toolchain().digest, sizes=str(STRESS_SIZES))
        source = _kept(
            f"llvm-stress-{identity[:16]}/{seed}.ll", lambda path: path.write_text(stress_module(seed, toolchain()))
        )
        return source_benchmark(f"{self.uri}/{seed}", source)


def _seed(uri: str, name: str) -> int:
    if not name.isascii() or not name.isdigit() or int(name) >= 1 << 32:
        raise UsageError(f"{uri}/{name}: '{name}' is no seed", hint=f"a whole number below 2^32, as in {uri}/17")
    return int(name)


def _kept(name: str, write: Callable[[Path], object]) -> Path:
    """A file of the cache, written first if it is not there; it appears whole. What is not used any more goes."""
    place = user_cache_directory() / "generated"
    path = place / name
    with contextlib.suppress(OSError):  # not there, or in a cache that can only be read
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))  # its last use; the file is as it was
    try:
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with ScratchDirectory(dir=path.parent, prefix=".new-") as scratch:
                write(Path(scratch) / path.name)
                os.replace(Path(scratch) / path.name, path)
            if next(_writes) % _LOOKS_EACH == 0:
                prune(place)
    except OSError as error:
        raise file_error("write", path, error) from error
    return path


def prune(place: Path, most_bytes: int = MOST_BYTES, in_use_s: float = IN_USE_S) -> None:
    """Removes the files below a directory that were not used for longest, until three quarters of a limit are left.

    Args:
        place: The directory.
        most_bytes: While its files have no more together, nothing is removed.
        in_use_s: What was used within so many seconds stays: an episode may still compile it.
    """
    found = []
    for path in place.rglob("*"):
        with contextlib.suppress(OSError):  # another process prunes, too
            if path.is_file():
                found.append((path.stat().st_atime, path.stat().st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= most_bytes:
        return
    for used_s, size, path in sorted(found):
        if total <= 0.75 * most_bytes or used_s > time.time() - in_use_s:
            break
        path.unlink(missing_ok=True)
        total -= size
