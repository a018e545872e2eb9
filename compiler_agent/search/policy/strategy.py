"""`policy`: tries a portfolio in the order in which its plans are expected to help, then hands over to `evolve`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from compiler_agent.evaluation.evaluate import Objective
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.policy.edits import LearnedSpace
from compiler_agent.search.policy.expectation import best_of
from compiler_agent.search.policy.model import Model, bounded
from compiler_agent.search.space import Space
from compiler_agent.search.strategy import Score, Strategy


class Policy:
    """The stock plan, then whichever plan of the portfolio is expected to improve most on the best so far.

    What each plan gave on this unit changes what is expected of the others. When none is expected to add what `evolve`
    gains with an evaluation, that goes on from all that was tried, and draws edits by what they were worth in training.
    """

    def __init__(
        self,
        model: Model,
        space: Space,
        features: Sequence[int],
        objective: Objective,
        make_embedded: Callable[[Space], Strategy],
    ) -> None:
        """Prepares for one unit.

        Args:
            model: What was learned.
            space: The plans that may be tried.
            features: The unit's InstCount and Autophase before optimization; empty: they are not known.
            objective: What is made smaller.
            make_embedded: Makes the search that goes on, in a space; it proposes the stock plan first.
        """
        self._embedded = make_embedded(LearnedSpace(space, model.edits))
        self._expectation = model.expectation(features, objective)
        self._indices = {str(plan): index for index, plan in enumerate(model.plans)}
        self._untried = {index: plan for index, plan in enumerate(model.plans) if space.takes(plan)}
        self._patience = model.patience
        self._baseline: float | None = None
        self._best = 0.0
        self._in_portfolio = True

    def ask(self) -> Plan | None:
        """The next plan."""
        if self._baseline and self._in_portfolio:
            if (plan := self._promising()) is not None:
                return plan
            self._in_portfolio = False
        return self._embedded.ask()

    def tell(self, score: Score) -> None:
        """The first figure is the stock plan's; each of the portfolio's changes what is expected of the rest."""
        self._embedded.tell(score)
        if self._baseline is None:
            self._baseline = score.value or 0.0
            return
        index = self._indices.get(str(score.plan))
        if index is None or not self._baseline:
            return
        gained = bounded(self._baseline, score.value) if score.value else 0.0
        gained = gained if score.may_be_kept else min(gained, 0.0)
        self._expectation.tell(index, gained)
        self._best = max(self._best, gained)

    def _promising(self) -> Plan | None:
        if not self._untried:
            return None
        improvement = self._expectation.improvement(self._best)
        index = best_of(improvement, self._untried)
        if improvement[index] <= self._patience:
            return None
        return self._untried.pop(index)
