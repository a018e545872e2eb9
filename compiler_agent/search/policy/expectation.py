"""What plans will gain on a unit: what they gained on the training units that it resembles.

A gain is the logarithm of the baseline's figure divided by the plan's. A training unit counts the more, the more alike
the two are before optimization, and the more alike what was tried on both turned out. So each plan that is tried on a
unit says something of those that were not.

Source: kernel regression, Nadaraya, Theory of Probability and its Applications 9, 1964, with two Gaussian kernels; the
next plan is the one of greatest expected improvement, as in Jones, Schonlau and Welch, Journal of Global Optimization
13, 1998, over the training units instead of a normal distribution.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_N_TOTALS = 3
_PRIOR_SHARE = 0.02
"""Of the weights, what stays as it was before anything was tried: a unit may resemble none."""


def descriptors(features: Sequence[Sequence[int]]) -> Array:
    """Units as points: square roots of shares, so that distances are Hellinger's, and the logarithm of the size.

    Args:
        features: Of each unit InstCount (70) and Autophase (56), as counts.

    Returns:
        Shape (units, 124), about 0 to 1 each.
    """
    counts = np.asarray(features, dtype=np.float64)
    total = np.maximum(counts[:, :1], 1.0)
    size = np.log1p(counts[:, :1]) / 10.0
    shares = np.sqrt(np.minimum(counts[:, _N_TOTALS:] / total, 4.0))
    return np.hstack([size, shares])


def shares_of(groups: Sequence[str]) -> Array:
    """What units count before they are compared: the more of one program or library there are, the less each, sum 1.

    With the square root of their number a library counts more than a program of one file, and less than all its files.
    """
    sizes = Counter(groups)
    shares = np.array([1 / np.sqrt(sizes[group]) for group in groups])
    return shares / shares.sum()


class Expectation:
    """What is expected of plans on one unit; it changes with what is measured there."""

    def __init__(self, gains: Array, shares: Array, distances: Array | None, length: float, spread: float) -> None:
        """Begins with what the unit's features say.

        Args:
            gains: Of the training units, shape (units, plans).
            shares: What each of these units counts by itself.
            distances: Between the descriptors of each and of the unit at hand; None: all are equally near.
            length: Distance at which a unit counts 0.6 of what one at no distance counts.
            spread: The same for a difference of gains.
        """
        logarithms = np.log(shares)
        if distances is not None:
            logarithms = logarithms - np.square(distances) / (2 * length**2)
        self._gains, self._spread = gains, spread
        self._before = self._logarithms = logarithms

    def tell(self, index: int, gain: float) -> None:
        """One plan's gain was measured."""
        difference = self._gains[:, index] - gain
        self._logarithms = self._logarithms - np.square(difference) / (2 * self._spread**2)

    def improvement(self, best: float) -> Array:
        """How much each plan is expected to gain beyond what is the best so far, never below 0."""
        weights = (1 - _PRIOR_SHARE) * _weights(self._logarithms) + _PRIOR_SHARE * _weights(self._before)
        improvement: Array = weights @ np.maximum(self._gains - best, 0.0)
        return improvement

    def order(self, outcomes: Array, most: int) -> list[int]:
        """In which order the first plans would be tried on a unit where each gains what `outcomes` says."""
        best = 0.0
        order: list[int] = []
        untried = np.ones(len(outcomes), dtype=bool)
        while untried.any() and len(order) < most:
            index = int(np.argmax(np.where(untried, self.improvement(best), -1.0)))
            untried[index] = False
            order.append(index)
            self.tell(index, outcomes[index])
            best = max(best, outcomes[index])
        return order


def best_of(improvement: Array, untried: Collection[int]) -> int:
    """The plan of those that improves most; of equals the first."""
    return max(sorted(untried), key=lambda index: float(improvement[index]))


def _weights(logarithms: Array) -> Array:
    weights: Array = np.exp(logarithms - logarithms.max())
    return weights / weights.sum()
