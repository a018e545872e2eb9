"""What `bench speed` finds, program by program, and what that comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from compiler_agent.evaluation import stats
from compiler_agent.evaluation.stats import Speedup

DENSE = "dense-loop"
"""The class of benchmarks whose time goes to nests of loops over arrays."""
THRESHOLDS = (1.0, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0)
"""Places of the curve `fast_p`."""


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    """What one strategy found for one program."""

    program: str
    """Its name."""
    kind: str
    """Its class."""
    part: str
    """training or held-out."""
    strategy: str
    """Which."""
    baseline: str = ""
    """The fastest stock configuration; empty: the program could not be timed."""
    stock: dict[str, float] = field(default_factory=dict)
    """How much faster each stock configuration is than -O3."""
    speedup: float = 1.0
    """Of what ships: the median of fresh samples of the plan that is kept; 1 where none is, and the baseline ships."""
    low: float = 1.0
    """The lower end of its interval; 1 where no plan is kept."""
    high: float = 1.0
    """The upper end."""
    plan: str = ""
    """The plan that is kept, or that an earlier run kept and this one has not refuted; empty: none."""
    reason: str = ""
    """Why faster plans are not kept, or why the program could not be timed."""
    n_candidates: int = 0
    """Plans that were tried."""
    n_timed: int = 0
    """Of them, those that had to be timed: the others were rejected, or the same program as an earlier one."""
    n_wrong: int = 0
    """Plans that made the program do something else."""
    size_ratio: float = 1.0
    """Executable bytes, baseline ÷ what ships."""
    seconds: float = 0.0
    """On the clock."""
    front: tuple[tuple[float, float], ...] = ()
    """(size_ratio, speedup) of what was timed and nothing else beats in both."""
    cautions: tuple[str, ...] = ()
    """What to be careful about, by kind."""

    def __str__(self) -> str:
        """The speedup, as tables print it."""
        if not self.baseline:
            return "not timed"
        return str(Speedup(self.speedup, self.low, self.high)) if self.is_win else "1"

    @property
    def is_win(self) -> bool:
        """Whether a plan is kept."""
        return bool(self.plan)

    @property
    def is_slower(self) -> bool:
        """Whether what ships is slower beyond its interval."""
        return self.high < 1.0

    def to_json(self) -> dict[str, Any]:
        """As it is in journals and files."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> ProgramFigures:
        """What `to_json` gave."""
        values = {one.name: row[one.name] for one in fields(cls)}
        return cls(**{**values, "front": tuple(map(tuple, row["front"])), "cautions": tuple(row["cautions"])})


@dataclass(frozen=True, slots=True)
class Summary:
    """Several programs together."""

    n_programs: int
    """How many, wins, ties and losses alike."""
    geomean: float
    """Of their speedups."""
    low: float
    """Where that lies, if these programs are a sample of programs like them: lower end of its 95% interval."""
    high: float
    """Upper end."""
    n_wins: int
    """A plan is kept, and it is faster beyond its interval; in a second run that is not so of all that were kept."""
    n_slower: int
    """Slower beyond the interval."""
    fast_p: tuple[float, ...]
    """For each of `THRESHOLDS` the share of programs that are correct and more than so many times as fast."""

    @classmethod
    def of(cls, rows: Iterable[ProgramFigures]) -> Summary | None:
        """The summary of some programs; None of none."""
        rows = list(rows)
        if not rows:
            return None
        speedups = [row.speedup for row in rows]
        low, high = stats.geometric_mean_interval(speedups)
        return cls(
            n_programs=len(rows),
            geomean=stats.geometric_mean(speedups),
            low=low,
            high=high,
            n_wins=sum(row.is_win and row.low > 1.0 for row in rows),
            n_slower=sum(row.is_slower for row in rows),
            fast_p=tuple(stats.fast_p(speedups, THRESHOLDS)),
        )


def groups(rows: Sequence[ProgramFigures]) -> dict[str, list[ProgramFigures]]:
    """Programs as they are summed up: all, those of dense loops, and the rest."""
    return {
        "all": list(rows),
        "dense loops": [row for row in rows if row.kind == DENSE],
        "the rest": [row for row in rows if row.kind != DENSE],
    }


@dataclass(frozen=True, slots=True)
class Replication:
    """How far a second run agrees with a first."""

    n_kept: int
    """Plans that the first run kept, in programs that both measured."""
    n_overlapping: int
    """Of them, those whose interval overlaps that of what the second run ships."""
    apart: tuple[tuple[ProgramFigures, ProgramFigures], ...]
    """The others, of both runs."""

    @property
    def share(self) -> float:
        """Of kept plans whose intervals overlap, 0 to 1; 1 where none was kept."""
        return self.n_overlapping / self.n_kept if self.n_kept else 1.0


def replicated(first: Sequence[ProgramFigures], second: Sequence[ProgramFigures]) -> Replication:
    """Compares two runs, program by program and strategy by strategy."""
    others = {(row.program, row.strategy): row for row in second}
    pairs = [
        (row, others[row.program, row.strategy])
        for row in first
        if row.is_win and (row.program, row.strategy) in others
    ]
    apart = tuple((one, other) for one, other in pairs if one.low > other.high or other.low > one.high)
    return Replication(len(pairs), len(pairs) - len(apart), apart)
