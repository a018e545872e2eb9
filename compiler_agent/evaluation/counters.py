"""Counts the instructions that a program executes: nearly the same number each time, on whatever machine.

A second opinion where times are noisy, and never the score: fewer instructions are not less time.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.config import search_path
from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.process import run
from compiler_agent.evaluation.executor import Executor

_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class Counter:
    """A tool that runs a program and counts."""

    under: tuple[str, ...]
    """The command that the program's own is put behind, see `ProcessExecutor`."""
    count: re.Pattern[bytes]
    """Finds the count of each process in what the tool says on standard error."""

    def instructions(self, executor: Executor, executable: Path) -> int:
        """Runs a program once and counts, with the processes that it starts.

        Args:
            executor: One that puts commands behind `under`.
            executable: The program.

        Raises:
            NotEstablished: The program did not succeed under this tool.
        """
        seen = executor.run(executable, environment_bytes=0, timeout_s=_TIMEOUT_S).behaviour
        counts = [int(count) for count in self.count.findall(seen.stderr)]
        if seen.status != 0 or not counts:
            raise NotEstablished(
                f"{self.under[0]} could not count instructions, status {seen.status}: {executor.workload.command}",
                hint="valgrind runs no AVX-512: use times alone, or build both for a -march without it",
            )
        return sum(counts)


_PERF = Counter(("perf", "stat", "-x,", "-e", "instructions:u", "--"), re.compile(rb"^(\d+),[^\n]*instructions", re.M))
_CALLGRIND = Counter(
    ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--trace-children=yes"),
    re.compile(rb"^==\d+== Collected : (\d+)", re.M),
)


def find_counter() -> Counter | None:
    """The processor's own counters where they can be read, as mostly not in virtual machines; callgrind; or None."""
    for counter in (_PERF, _CALLGRIND):
        if shutil.which(counter.under[0], path=search_path()) is not None:
            tried = run([*counter.under, "true"], timeout_s=_TIMEOUT_S)
            if tried.status == 0 and counter.count.search(tried.stderr):
                return counter
    return None
