"""Figures that several benchmarks print."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy

_RESAMPLES = 10_000


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
