"""What sessions found when they began: each measures a program against itself, and keeps the raw times.

`bench speed` leaves hundreds of such comparisons, of real programs and under whatever load there was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.evaluation.machine import Machine
from compiler_agent.evaluation.measure import Rule
from compiler_agent.evaluation.samples import SampleFile
from compiler_agent.evaluation.session import ITSELF


@dataclass(frozen=True, slots=True)
class Sessions:
    """Comparisons of programs with themselves."""

    n: int
    """How many."""
    different: tuple[str, ...]
    """Those that were called different, after whichever pair, by the rule of one comparison."""

    def __str__(self) -> str:
        """As one line."""
        share = len(self.different) / self.n if self.n else 0.0
        return f"{len(self.different)} of {self.n} programs ({share:.1%}) were called different from themselves"


def of_samples(files: Iterable[Path], machine: Machine) -> Sessions:
    """Judges what the sessions of some files of raw times began with, as if one had looked after each pair.

    Args:
        files: As `bench speed --state` has them, `*.samples.jsonl`.
        machine: Of all of them.

    Raises:
        UsageError: A file has times of another machine.
        FileError: It cannot be read, or is none of raw times.
    """
    rule, n, different = Rule(), 0, []
    for file in files:
        for name, pairs in SampleFile(file, machine).load().items():
            if not name.endswith(f"/{ITSELF}") or not pairs:
                continue
            n += 1
            ratios = [pair.log_ratio for pair in pairs]
            if any(rule.is_shown(ratios[:end]) for end in range(1, len(ratios) + 1)):
                different.append(f"{file}: {name}")
    return Sessions(n, tuple(different))
