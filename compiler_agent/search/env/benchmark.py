"""A benchmark: one translation unit, or one module of LLVM IR, under a name that finds it again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from compiler_agent.evaluation.difftest import Workload


@dataclass(frozen=True, slots=True)
class Program:
    """How a benchmark's object becomes a program that shows what it does."""

    name: str
    """The program's file name."""
    link: tuple[str, ...]
    """The command that links it, run in `directory`; `{object}` and `{program}` stand for the two files."""
    workload: Workload
    """What is run, in a directory that holds the program."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One translation unit and how clang compiles it."""

    uri: str
    """Its name: `scheme://dataset/path`."""
    argv: tuple[str, ...]
    """The clang command that writes its object to standard output, whatever its optimization level."""
    directory: Path
    """Where that command runs."""
    digest: str = ""
    """SHA-256 of the source: another content under the same name is another benchmark. Headers: see `inputs`."""
    program: Program | None = None
    """How to see what it does; None: its functions are all that can be tested."""

    def command(self, level: str) -> tuple[str, ...]:
        """The command at an optimization level, as `-Oz`: the last one on clang's command line counts."""
        return (*self.argv, level)

    @property
    def is_ir(self) -> bool:
        """Whether it is LLVM IR already, whose functions carry the attributes that they were made with."""
        return self.argv[-1].endswith((".ll", ".bc"))
