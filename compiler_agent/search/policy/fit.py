"""Training: from the table of outcomes to a model."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.policy.edits import edit_values
from compiler_agent.search.policy.expectation import Array, Expectation, descriptors, shares_of
from compiler_agent.search.policy.model import Model, TrainedUnit, gain
from compiler_agent.search.policy.table import UnitRow, group_of, origins
from compiler_agent.search.strategies import read_coreset

N_PLANS = 24
"""In the portfolio, at most, beside the seed plans."""
_LENGTHS, _SPREADS = (None, 1.0, 0.5), (0.06, 0.12, 0.25)
"""Settings that are tried; the ones are taken that do best on units of programs and libraries left out."""
_COUNTED = 10
"""So many plans of each order are what settings are chosen by."""
_LEARNED = Objective.TEXT_BYTES
"""Whose gains decide what is in the portfolio, and the settings."""
_SEARCH_LOOKED_AT = 40
"""So many evaluations of a search say what it gains soon after its seed plans."""


def train(rows: Sequence[UnitRow], llvm: str, command: str, n_plans: int = N_PLANS) -> Model:
    """Learns a model; the same rows give the same model.

    Raises:
        UsageError: The rows are of fewer than two programs or libraries, or have no plan in common.
    """
    if len({row.group for row in rows}) < 2:
        raise UsageError("a policy is learned from two programs or libraries at least", hint="collect more units")
    plans = portfolio(rows, n_plans)
    if not plans:
        raise UsageError("no plan was tried on all units", hint="let collecting come to its end")
    units = tuple(
        TrainedUnit(row.uri, row.digest, row.features, row.baseline, tuple(row.outcomes[str(plan)] for plan in plans))
        for row in rows
    )
    edits = {word: _rounded(value) for word, value in edit_values([row.search for row in rows]).items()}
    model = Model(llvm, command, tuple(plans), units, None, _SPREADS[0], _rounded(_patience(rows)), edits)
    length, spread = _settings(model)
    return replace(model, length=length, spread=spread)


def portfolio(rows: Sequence[UnitRow], n_plans: int) -> list[Plan]:
    """Plans that complement each other: each adds most to what the best of those before it gains, on average.

    A plan gets no credit for the program or library that it was found on, where it fits by construction. A program or
    library counts by the square root of its units. The seed plans that were not chosen come last.
    """
    texts = [text for text in rows[0].outcomes if all(text in row.outcomes for row in rows)] if rows else []
    found_on = origins(rows)
    gains = np.array([[gain(row.outcomes[text], row.baseline, _LEARNED) for text in texts] for row in rows])
    credited = np.array([[row.group not in found_on.get(text, ()) for text in texts] for row in rows])
    sizes = {group: sum(row.group == group for row in rows) for group in {row.group for row in rows}}
    weights = np.array([1 / math.sqrt(sizes[row.group]) for row in rows])
    best = np.zeros(len(rows))
    chosen: list[int] = []
    while len(chosen) < min(n_plans, len(texts)):
        adds = weights @ np.where(credited, np.maximum(gains - best[:, None], 0.0), 0.0)
        adds[chosen] = -1.0
        index = int(np.argmax(adds))
        if adds[index] <= 0:
            break
        chosen.append(index)
        best = np.maximum(best, np.where(credited[:, index], gains[:, index], 0.0))
    # No credit on what they were found on is too little for the seed plans: they are what is known of libraries.
    seeds = [plan for plan in map(str, read_coreset()) if plan in texts]
    return [Plan.parse(text) for text in dict.fromkeys([*(texts[index] for index in chosen), *seeds])]


def _settings(model: Model) -> tuple[float | None, float]:
    """Length and spread whose orders are best on units of programs and libraries that are left out, each in turn."""
    points = descriptors([unit.features for unit in model.units])
    distances = np.linalg.norm(points[:, None, :] - points[None, :, :], axis=2)
    gains, groups = model.gains(_LEARNED), np.array([group_of(unit.uri) for unit in model.units])
    own = shares_of(list(groups))

    def gained(settings: tuple[float | None, float]) -> float:
        length, spread = settings
        total = 0.0
        for number, group in enumerate(groups):
            others = groups != group
            near = distances[number, others] if length is not None else None
            expectation = Expectation(gains[others], own[others], near, length or 1.0, spread)
            total += float(own[number] * _area(gains[number], expectation.order(gains[number], _COUNTED)))
        return total

    return max(itertools.product(_LENGTHS, _SPREADS), key=gained)


def _area(gains: Array, order: Sequence[int]) -> float:
    """The mean of the best gain so far over the plans of an order."""
    return float(np.maximum.accumulate(np.maximum(gains[list(order)], 0.0)).mean())


def _patience(rows: Sequence[UnitRow]) -> float:
    """What one evaluation of `evolve` gained on average soon after its seed plans, in logarithms."""
    n_begin = 1 + len(read_coreset())  # the stock plan comes before them
    gained = []
    for row in rows:
        values = [tried.value for tried in row.search[:_SEARCH_LOOKED_AT]]
        known = [value for value in values[:n_begin] if value]
        if known and len(values) > n_begin:
            last = min([value for value in values if value])
            gained.append(math.log(min(known) / last) / (len(values) - n_begin))
    return statistics.mean(gained) if gained else 0.0


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
