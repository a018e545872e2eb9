"""Statistics of ratios: pure, and the same for the same numbers (what draws has a fixed seed).

Paired times become logarithms of ratios, log(baseline ÷ candidate), above 0 where the candidate is faster. Whether they
show a difference is said by an *e-value*: evidence that may be looked at after every pair, and stopped at, without
making a false claim more probable. How large the difference is, is said by the median with its interval.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy

_RESAMPLES = 10_000
_MEDIAN_RESAMPLES = 4_000
_CLIPPED = 0.9
"""Log ratios count for at most so many noises: nearly their signs; a neighbour's burst counts like any other pair."""
_PRIOR_VARIANCE = 0.9
"""Sum of squares around which evidence is sharpest, as of the first pairs; it changes power, never validity."""
_OWN_NOISE_FROM = 6
"""Pairs from which on a comparison knows its own noise."""


@dataclass(frozen=True, slots=True)
class Speedup:
    """Baseline ÷ candidate, above 1 is better."""

    median: float
    """The median of the pairs' ratios."""
    low: float
    """Lower end of its 95% interval."""
    high: float
    """Upper end."""

    def __str__(self) -> str:
        """As in 1.043 [1.031, 1.052]."""
        return f"{self.median:.3f} [{self.low:.3f}, {self.high:.3f}]"


def speedup(log_ratios: Sequence[float], level: float = 0.95) -> Speedup:
    """The median of ratios, and where it lies at a level of confidence.

    Args:
        log_ratios: log(baseline ÷ candidate) of each pair, at least one.
        level: Of confidence.

    Source: the percentile bootstrap, Efron 1979, Ann. Statist. 7.
    """
    values = numpy.asarray(log_ratios, dtype=float)
    drawn = numpy.random.default_rng(0).choice(values, (_MEDIAN_RESAMPLES, len(values)))
    low, high = numpy.quantile(numpy.median(drawn, axis=1), [(1 - level) / 2, (1 + level) / 2])
    return Speedup(*(math.exp(value) for value in (numpy.median(values), low, high)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """How strongly pairs speak against "baseline and candidate take equally long"."""

    log: float
    """Logarithm of the e-value."""
    is_gain: bool
    """The candidate is faster, not slower."""


def evidence(log_ratios: Sequence[float], scale: float) -> Evidence:
    """The e-value of pairs.

    If each log ratio is symmetric about 0 given those before (which measuring a program against itself in random order
    makes it), it exceeds 1/a *ever*, after whatever number of pairs, with probability at most a. So one may look
    after each pair, stop when satisfied, and go on when promising. Neither the shape nor the size of the noise matters:
    each pair is divided by the noise of those *before* it and clipped by an odd function, which keeps it symmetric.

    Args:
        log_ratios: In the order in which they were measured.
        scale: Standard deviation to be expected of the first ones, fixed before; a wrong one costs power only.

    Source: exp(λ·S − λ²·V/2) with S = Σx, V = Σx² is a supermartingale for symmetric x (de la Peña 1999, Ann. Probab.
    27, 537-564), mixed over λ ~ N(0, 1/ρ) (Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon 2021, Ann. Statist. 49,
    1055-1080): sqrt(ρ/(V+ρ)) · exp(S²/(2(V+ρ))).
    """
    total, variance = _sums(log_ratios, scale)
    return Evidence(_log_mixture(total, variance), total > 0)


def is_promising(log_ratios: Sequence[float], scale: float, n_most: int, log_threshold: float) -> bool:
    """Whether a gain could still be established by the last pair, if the pairs to come are like those so far.

    The trend is taken two standard errors better than it is. Stopping where this says no makes no false claim more
    probable, it only loses gains that would have shown late.

    Args:
        log_ratios: So far.
        scale: As for `evidence`.
        n_most: Pairs that there can be.
        log_threshold: Logarithm of the e-value that is needed.
    """
    total, variance = _sums(log_ratios, scale)
    grown = n_most / len(log_ratios)
    total = (total + 2 * math.sqrt(variance)) * grown
    return total > 0 and _log_mixture(total, variance * grown) >= log_threshold


def discoveries(log_evidences: Sequence[float], level: float, n_planned: int | None = None) -> list[bool]:
    """Which of many claims may be made, so that the expected share of false ones among them is at most `level`.

    The procedure of Benjamini and Hochberg (1995, J. R. Stat. Soc. B 57, 289-300) on 1/e in place of p. With e-values
    it holds whatever depends on what, so also where a search chose each candidate by what it had seen.

    Args:
        log_evidences: Logarithm of each claim's e-value; minus infinity: nothing speaks for it.
        level: Of false discovery.
        n_planned: Claims that were to be tried; None: these.

    Source: Wang and Ramdas 2022, False discovery rate control with e-values, J. R. Stat. Soc. B 84, 822-852.
    """
    n_claims = len(log_evidences) if n_planned is None else max(n_planned, len(log_evidences))
    ordered = sorted(log_evidences, reverse=True)
    ranks = (rank for rank in range(len(ordered), 0, -1) if ordered[rank - 1] >= log_needed(level, n_claims, rank))
    n_found = next(ranks, 0)
    return [n_found > 0 and value >= ordered[n_found - 1] for value in log_evidences]


def log_needed(level: float, n_claims: int = 1, n_found: int = 1) -> float:
    """Logarithm of the e-value that the last of `n_found` discoveries among `n_claims` claims needs."""
    return math.log(n_claims / (level * n_found))


def noise_scale(log_ratios: Sequence[float] | numpy.ndarray, centre: float = 0.0, floor: float = 1e-3) -> float:
    """Standard deviation of log ratios, by the median of their sizes: bursts do not count.

    Args:
        log_ratios: Of pairs, at least one.
        centre: What they scatter around; of a program against itself that is 0.
        floor: Least value.

    Source: 1.4826 times the median absolute deviation, Hampel 1974, J. Am. Stat. Assoc. 69.
    """
    return _noise(float(numpy.median(numpy.abs(numpy.asarray(log_ratios) - centre))), floor)


def fast_p(speedups: Sequence[float | None], thresholds: Iterable[float]) -> list[float]:
    """For each threshold p the share of programs that are correct *and* more than p times as fast.

    Args:
        speedups: Of each program; None: the result was wrong, or there was none.
        thresholds: The curve's places.

    Source: Ouyang et al. 2025, KernelBench, arXiv 2502.10517.
    """
    return [sum(one is not None and one > threshold for one in speedups) / len(speedups) for threshold in thresholds]


def geometric_mean(ratios: Iterable[float]) -> float:
    """The geometric mean of ratios."""
    return float(numpy.exp(numpy.mean(numpy.log(list(ratios)))))


def geometric_mean_interval(ratios: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Where the geometric mean lies, at a level of confidence, if the units are a sample of units like them.

    Source: the percentile bootstrap, Efron 1979, Ann. Statist. 7; the resamples are the same in each run.
    """
    logarithms = numpy.log(list(ratios))
    drawn = numpy.random.default_rng(0).choice(logarithms, (_RESAMPLES, len(logarithms)))
    low, high = numpy.quantile(drawn.mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(numpy.exp(low)), float(numpy.exp(high))


def pearson(first: Sequence[float], second: Sequence[float]) -> float:
    """Pearson's correlation, -1 to 1."""
    return float(numpy.corrcoef(first, second)[0, 1])


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Spearman's rank correlation, -1 to 1: Pearson's of the ranks, equal values sharing their mean rank."""
    return pearson(_ranks(first), _ranks(second))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = numpy.sort(values)
    return [float(numpy.searchsorted(ordered, v) + numpy.searchsorted(ordered, v, side="right")) / 2 for v in values]


def _sums(log_ratios: Sequence[float], scale: float) -> tuple[float, float]:
    total = variance = 0.0
    before: list[float] = []  # in order of size; lists, since numpy takes ten times as long for so few
    for value in log_ratios:
        noise = scale
        if len(before) >= _OWN_NOISE_FROM:
            centre = _middle(before)
            noise = _noise(_middle(sorted(abs(one - centre) for one in before)))
        clipped = min(max(float(value) / noise, -_CLIPPED), _CLIPPED)
        total += clipped
        variance += clipped**2
        bisect.insort(before, float(value))
    return total, variance


def _middle(ordered: Sequence[float]) -> float:
    """The median of numbers in order of size."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _noise(median_deviation: float, floor: float = 1e-3) -> float:
    """The standard deviation of noise whose median deviation is known, if it is normal."""
    return max(floor, 1.4826 * median_deviation)


def _log_mixture(total: float, variance: float) -> float:
    spread = variance + _PRIOR_VARIANCE
    return 0.5 * math.log(_PRIOR_VARIANCE / spread) + total**2 / (2 * spread)
