"""What a lock says of a plan beyond sizes: what a language model had to do with it, and how much faster it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlannerEvidence:
    """What a language model said of a plan, and what asking it about the unit cost."""

    model: str
    """Its name."""
    proposed_by: str
    """`model`, or `embedded search` where that went on; empty: no plan is kept."""
    expected: str
    """What effect the model expected of the plan; one printable line."""
    rationale: str
    """Why; one printable line."""
    calls: int
    """Calls, each try counted."""
    tokens: int
    """Tokens read and written."""
    cache_read_tokens: int
    """Of these, read from the server's cache."""
    cost_usd: float | None
    """US dollars; None: the model's price is not known."""

    def usd_per_percent(self, before: int, after: int) -> float | None:
        """What each percent that the figure went down cost; None: not known, or it did not."""
        gained = 100 * (1 - after / before) if before else 0.0
        return self.cost_usd / gained if self.cost_usd is not None and gained > 0 else None


@dataclass(frozen=True, slots=True)
class RunTimeEvidence:
    """How much faster a program is with a plan: measured in turns with the best stock configuration, on one machine."""

    speedup: float
    """The median ratio of the baseline's time to the candidate's, in samples that the search did not see."""
    low: float
    """The lower end of its interval; above 1."""
    high: float
    """The upper end."""
    n_samples: int
    """Of each side, in that confirmation."""
    n_layouts: int
    """Layouts (link orders, alignments, stack offsets) that these samples are of."""
    baseline: str
    """The stock configuration that was the fastest, as in "-O3"."""
    machine: str
    """Where it was measured; figures of two machines are never compared."""
    profile_sha256: str | None = None
    """Of the profile that both sides were compiled with; None: none."""
    front: tuple[tuple[float, float], ...] = ()
    """Of what was timed, what nothing else beats in both: executable bytes, baseline ÷ candidate, and speedup."""

    def __post_init__(self) -> None:
        front = tuple((float(size_ratio), float(speedup)) for size_ratio, speedup in self.front)
        if any(min(point) <= 0 for point in front):
            raise ValueError("front: ratios are above 0")
        object.__setattr__(self, "front", front)

    def is_comparable(self, other: RunTimeEvidence) -> bool:
        """Whether the figures are of the same machine and against the same baseline."""
        return (self.machine, self.baseline, self.profile_sha256) == (
            other.machine,
            other.baseline,
            other.profile_sha256,
        )
