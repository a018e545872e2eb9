"""What the words of plans are worth, estimated from noisy times: a Gaussian process over sets of words.

The logarithm of a plan's time is the sum of what its words do, each unknown beforehand, of what the plan does beyond
that sum (words act on each other), and of the measurement's error. All three are normal, so what is known after some
measurements is normal, too, and has a closed form. Words of one subject (`-inline-threshold=700`, `=1200`) share some.

Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, equations 2.22 to 2.24.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import words_of

SUBJECT_SPREAD = 0.012
"""Standard deviation of what all words of a subject do alike, before anything is known, in logarithms of time."""
WORD_SPREAD = 0.018
"""Of what one word does beyond that."""
PLAN_SPREAD = 0.008
"""Of what a plan does beyond the sum of its words."""
_LEAST_ERROR = 1e-4


@dataclass(frozen=True, slots=True)
class Told:
    """One measured plan."""

    plan: Plan
    """The plan."""
    log_ratio: float
    """Logarithm of its time, candidate ÷ baseline: below 0 is faster."""
    error: float
    """Standard error of that."""


class Worth:
    """What is known after some measurements."""

    def __init__(self, told: Sequence[Told]) -> None:
        self._told = tuple(told)
        self._plans = [one.plan for one in told]
        self._prior = _covariance(self._plans, self._plans)
        noise = np.array([max(one.error, _LEAST_ERROR) ** 2 + PLAN_SPREAD**2 for one in told])
        self._inverse = np.linalg.inv(self._prior + np.diag(noise))
        self._measured = np.array([one.log_ratio for one in told])

    def expected(self, plans: Sequence[Plan]) -> np.ndarray:
        """What the words of each plan are expected to do together: logarithms of time ratios, one for each plan."""
        return _covariance(plans, self._plans) @ self._inverse @ self._measured

    def sample(self, plans: Sequence[Plan], random: np.random.Generator) -> np.ndarray:
        """One draw, for all plans together, from what is believed of them: logarithms of time ratios."""
        across = _covariance(plans, self._plans)
        covariance = _covariance(plans, plans) - across @ self._inverse @ across.T
        draws = random.multivariate_normal(self.expected(plans), covariance, method="eigh", check_valid="ignore")
        return draws + random.normal(0.0, PLAN_SPREAD, len(plans))

    def believed(self) -> np.ndarray:
        """What each measured plan really does, by its own measurement and by all others: logarithms of time ratios."""
        covariance = self._prior + PLAN_SPREAD**2 * np.eye(len(self._plans))
        return covariance @ self._inverse @ self._measured


def _covariance(first: Sequence[Plan], second: Sequence[Plan]) -> np.ndarray:
    """Prior covariance of what plans do by their words, one row for each of `first`."""
    shared = np.zeros((len(first), len(second)))
    for part, spread in ((0, SUBJECT_SPREAD), (1, WORD_SPREAD)):
        said = [{word[part] for word in words_of(plan)} for plan in (*first, *second)]
        columns = {text: column for column, text in enumerate(sorted(set().union(*said)))}
        table = np.zeros((len(said), len(columns)))
        for row, texts in enumerate(said):
            table[row, [columns[text] for text in texts]] = spread
        shared += table[: len(first)] @ table[len(first) :].T
    return shared
