"""`hybrid`: a model and the embedded search take turns on one population of plans."""

from __future__ import annotations

from compiler_agent.llvm.plan import Plan
from compiler_agent.search.strategy import Score, Strategy

TURN = 4
"""Plans that the model proposes before its turn is judged."""
PATIENCE = 8
"""Evaluations of the embedded search without a gain before the model is asked again; doubled by a turn in vain."""


class Hybrid:
    """A bandit of two sources: it stays with the model while that wins, and asks it less often after each turn in vain.

    The stock plan comes first, then the model. A turn that improved on the best plan so far earns it the next one. One
    that did not doubles the patience and hands over to the embedded search, until that has found nothing better for so
    many evaluations; a turn that did resets the patience. So a useless model gets at most log2(2 + budget / PATIENCE)
    turns: 4 of TURN plans, 8%, of a budget of 200. Both are told of all plans: the model's join the embedded search's
    population, which edits and crosses them, and the model hears what the embedded search found.

    Source: win-stay, lose-shift, Robbins 1952, Bull. Amer. Math. Soc. 58; doubling the wait is exponential backoff.
    """

    def __init__(self, model: Strategy, embedded: Strategy) -> None:
        self.model = model
        """The model's side."""
        self._has_more = True
        self._embedded = embedded
        self._best: float | None = None
        self._models_plans: set[str] = set()
        self._left = TURN
        self._has_won = False
        self._patience = PATIENCE
        self._waited = 0

    def ask(self) -> Plan | None:
        """A plan of the model's in its turn, else one of the embedded search."""
        if self._left == 0 and (self._has_won or self._waited >= self._patience):
            self._left, self._has_won = TURN, False
        if self._best is not None and self._left > 0 and self._has_more:
            plan = self.model.ask()
            if plan is not None:
                self._left -= 1
                self._models_plans.add(str(plan))
                return plan
            self._has_more = False  # out of money, or of ideas: it is not asked again
        return self._embedded.ask()

    def tell(self, score: Score) -> None:
        """Both learn of it, and the bandit whose turn is next."""
        is_the_models = str(score.plan) in self._models_plans
        is_gain = score.value is not None and self._best is not None and score.may_be_kept and score.value < self._best
        if is_gain or self._best is None:
            self._best = score.value
        if is_the_models:
            self._has_won = self._has_won or is_gain
            if self._left == 0:
                self._patience = PATIENCE if self._has_won else 2 * self._patience
                self._waited = 0
        else:
            self._waited = 0 if is_gain else self._waited + 1
        self._embedded.tell(score)
        self.model.tell(score)
