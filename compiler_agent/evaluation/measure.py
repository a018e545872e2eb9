"""Compares a candidate with a baseline by running both in turns, and looks after each pair whether it is enough."""

from __future__ import annotations

import enum
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from compiler_agent.evaluation import cautions, stats
from compiler_agent.evaluation.cautions import Caution
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.machine import Load, load_now
from compiler_agent.evaluation.pairing import Baseline, Outcome, Refuted, take_pair
from compiler_agent.evaluation.samples import Pair
from compiler_agent.evaluation.suspicion import suspicion


class Stopping(enum.StrEnum):
    """When a comparison may end before its last pair."""

    GAINS = "gains"
    """When the gain is shown, or none is to be expected any more: for a search."""
    DIFFERENCES = "differences"
    """When a difference is shown, in either direction."""
    NEVER = "never"
    """Not at all: for the figure that is reported."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a comparison ends, and what it takes to claim a difference. It must be fixed before the comparison."""

    scale: float = 0.01
    """Standard deviation of the log ratios of pairs where nothing differs, as a session's A/A run finds it."""
    log_needed: float = stats.log_needed(0.05)
    """Logarithm of the e-value that a claim needs."""
    stopping: Stopping = Stopping.DIFFERENCES
    """When it may end early."""

    def is_over(self, log_ratios: Sequence[float], n_first_look: int, n_most: int) -> bool:
        """Whether no more pairs are needed."""
        if self.stopping is Stopping.NEVER:
            return False
        if self.is_shown(log_ratios):
            return True
        looks = self.stopping is Stopping.GAINS and len(log_ratios) >= n_first_look
        return looks and not stats.is_promising(log_ratios, self.scale, n_most, self.log_needed)

    def is_shown(self, log_ratios: Sequence[float]) -> bool:
        """Whether there is evidence enough of a difference."""
        return stats.evidence(log_ratios, self.scale).log >= self.log_needed


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was found about one candidate."""

    outcome: Outcome
    """How it ended."""
    reason: str
    """The same in words, with what to do where there is something."""
    pairs: tuple[Pair, ...] = ()
    """All that were measured."""
    log_evidence: float = -math.inf
    """Logarithm of the e-value for a gain, see `stats.discoveries`; minus infinity: not faster."""
    cautions: tuple[Caution, ...] = ()
    """What to be careful about."""
    seconds: float = 0.0
    """What it took on the clock."""
    speedup: stats.Speedup | None = field(init=False, default=None)
    """Baseline ÷ candidate with its 95% interval; None: nothing was measured, or the candidate was refuted."""

    def __post_init__(self) -> None:
        if self.pairs and not self.outcome.refutes:
            object.__setattr__(self, "speedup", stats.speedup([pair.log_ratio for pair in self.pairs]))

    def __str__(self) -> str:
        """As one line."""
        return f"{self.outcome}: {self.reason}"


def compare(
    baseline: Baseline,
    candidate: Layouts,
    rule: Rule,
    *,
    seed: int | str,
    fresh_layouts: bool = False,
    clock: Callable[[], float] = time.monotonic,
    load: Callable[[], Load] = load_now,
) -> Comparison:
    """Measures a candidate against a baseline.

    Args:
        baseline: What it is to be faster than.
        candidate: Executables of the candidate.
        rule: When to end.
        seed: Of orders, layouts and environments.
        fresh_layouts: In layouts that no comparison without this has seen.
        clock: In seconds.
        load: The machine's load.

    Raises:
        NotEstablished: The baseline itself did something else than before.
        ToolError: A candidate does not link, or cannot be started.
    """
    settings = baseline.settings
    draw = random.Random(seed)
    n_pairs = min([baseline.n_pairs, *(one.n_layouts for one in (baseline.layouts, candidate) if one.n_layouts > 1)])
    ours, theirs = (_drawn(one, n_pairs, fresh_layouts, draw) for one in (baseline.layouts, candidate))
    started_s, load_before = clock(), load()
    pairs: list[Pair] = []
    ratios: list[float] = []
    for layouts in zip(ours, theirs, strict=True):
        try:
            pairs.append(take_pair(baseline, candidate, layouts, draw))
        except Refuted as refuted:
            return Comparison(refuted.outcome, refuted.reason, tuple(pairs), seconds=clock() - started_s)
        ratios.append(pairs[-1].log_ratio)
        late = clock() - started_s > settings.seconds and len(pairs) >= settings.n_first_look
        if late or rule.is_over(ratios, settings.n_first_look, n_pairs):
            break
    evidence = stats.evidence(ratios, rule.scale)
    outcome, reason = _judge(pairs, evidence, rule)
    found = cautions.of_layouts(baseline.layouts.n_layouts, candidate.n_layouts)
    found += cautions.of_pairs(pairs, load_before, load(), os.cpu_count() or 1)
    return Comparison(
        outcome,
        reason,
        tuple(pairs),
        evidence.log if evidence.is_gain else -math.inf,
        (*baseline.cautions, *found),
        clock() - started_s,
    )


def _judge(pairs: Sequence[Pair], evidence: stats.Evidence, rule: Rule) -> tuple[Outcome, str]:
    """The outcome of pairs whose behaviour was the baseline's, and why."""
    shown = f"{stats.speedup([pair.log_ratio for pair in pairs])} times as fast over {len(pairs)} pairs"
    if evidence.log < rule.log_needed:
        return Outcome.NOT_SHOWN, f"no difference was shown: {shown}"
    if not evidence.is_gain:
        return Outcome.SLOWER, shown
    if odd := suspicion(pairs):
        return Outcome.QUARANTINED, f"{odd}: verify it on inputs of other sizes"
    return Outcome.FASTER, shown


def _drawn(layouts: Layouts, n_pairs: int, is_fresh: bool, draw: random.Random) -> list[int]:
    """Layouts for all pairs, none twice: pairs are independent, and few lucky ones do not count for many."""
    if layouts.n_layouts == 1:
        return [0] * n_pairs
    first = layouts.n_layouts if is_fresh else 0
    return draw.sample(range(first, first + layouts.n_layouts), n_pairs)
