"""Raw times of pairs of runs, and the file that keeps them: figures can be made again, and doubted, from these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from compiler_agent.base.errors import UsageError
from compiler_agent.base.journal import Journal
from compiler_agent.evaluation.machine import Machine

_EVENT = "comparison"


@dataclass(frozen=True, slots=True)
class Times:
    """What a run took; the mean, where a sample is several runs."""

    cpu_time_s: float
    """Processor time, user and system together: what is compared; above 0."""
    user_time_s: float
    """The part of it that the kernel says was the program's own."""
    wall_time_s: float
    """Time on the clock."""
    layout: int
    """Number of the executable among the layouts of its program."""
    environment_bytes: int
    """Size of the variable that moved the stack."""
    transferred: tuple[int, int] | None = None
    """Bytes read and written; None: the kernel does not say."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A sample of the baseline and one of the candidate, taken one after the other."""

    baseline: Times
    """The baseline's."""
    candidate: Times
    """The candidate's."""
    candidate_first: bool
    """Which came first was drawn."""

    @property
    def log_ratio(self) -> float:
        """log(baseline ÷ candidate) of processor times, above 0 where the candidate was faster."""
        return math.log(self.baseline.cpu_time_s / self.candidate.cpu_time_s)


class SampleFile:
    """Pairs by comparison, as JSON lines (the format is `base.journal`'s); a file belongs to one machine.

    Args:
        path: The file; made if it is not there.
        machine: That the times are taken on.

    Raises:
        UsageError: The file has times of another machine.
        FileError: It cannot be read or written.
    """

    def __init__(self, path: Path, machine: Machine) -> None:
        try:
            self._journal = Journal(path, {"samples_version": 1, "machine": asdict(machine)})
        except UsageError as error:
            raise UsageError(
                f"{path} has times of another machine than this one ({machine}); they are never put together",
                hint="name another file for this machine",
            ) from error

    def note(self, name: str, outcome: str, pairs: Sequence[Pair]) -> None:
        """Adds a comparison; it is in the file when this returns.

        Args:
            name: Of the comparison; no two have the same one.
            outcome: How it ended.
            pairs: All that were measured.
        """
        self._journal.note(_EVENT, name, outcome=outcome, pairs=[asdict(pair) for pair in pairs])

    def load(self) -> dict[str, list[Pair]]:
        """All comparisons by name, in the order in which they were made."""
        return {name: [_pair(values) for values in row["pairs"]] for name, row in self._journal.rows(_EVENT)}


def _pair(values: dict) -> Pair:
    baseline, candidate = (_times(values[side]) for side in ("baseline", "candidate"))
    return Pair(baseline, candidate, values["candidate_first"])


def _times(values: dict) -> Times:
    transferred = values["transferred"]
    return Times(**{**values, "transferred": None if transferred is None else tuple(transferred)})
