"""The search loop: asks a strategy, lets the evaluation judge, tells the strategy, within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from compiler_agent.base.config import Budget
from compiler_agent.evaluation.evaluate import Evaluation
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.strategy import Score, Strategy

# A strategy that proposes nothing but plans it has proposed before has nothing more to give.
_REPEATS_ALLOWED = 200


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What a search found."""

    best: Evaluation | None
    """The best plan that may be kept; None where none may."""
    evaluations: tuple[Evaluation, ...]
    """Every plan that was judged, in order."""
    seconds: float
    """Time on the clock."""
    interrupted: bool = False
    """Ended by the user before the budget was used."""

    @property
    def ranked(self) -> list[Evaluation]:
        """All plans that may be kept, best first."""
        kept = [evaluation for evaluation in self.evaluations if evaluation.verdict.may_be_kept]
        return sorted(kept, key=better)


def better(evaluation: Evaluation) -> tuple[float, int]:
    """Sort key: less of the objective first; among equals the shorter plan, which is the easier one to review."""
    value = float("inf") if evaluation.value is None else float(evaluation.value)
    return value, len(str(evaluation.plan))


def search(
    strategy: Strategy,
    evaluate: Callable[[Plan], Evaluation],
    budget: Budget,
    *,
    on_evaluation: Callable[[Evaluation], None] = lambda evaluation: None,
    should_stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.monotonic,
) -> SearchResult:
    """Runs a search to the end of its budget.

    With a budget in evaluations and a seeded strategy the result repeats exactly. A plan that was judged before is
    answered from memory and costs nothing of the budget.
    """
    start = clock()
    judged: dict[str, Evaluation] = {}
    repeats = 0
    stopped = False
    while repeats < _REPEATS_ALLOWED:
        stopped = should_stop()
        spent = (budget.n_evaluations is not None and len(judged) >= budget.n_evaluations) or (
            budget.seconds is not None and clock() - start >= budget.seconds
        )
        if stopped or spent:
            break
        plan = strategy.ask()
        if plan is None:
            stopped = should_stop()  # a strategy that waits for a language model gives up waiting then
            break
        known = judged.get(str(plan))
        if known is None:
            repeats = 0
            known = judged[str(plan)] = evaluate(plan)
            on_evaluation(known)
        else:
            repeats += 1
        strategy.tell(Score(plan, known.value, known.verdict.may_be_kept, known.verdict.value, known.reason))
    kept = [evaluation for evaluation in judged.values() if evaluation.verdict.may_be_kept]
    return SearchResult(min(kept, key=better, default=None), tuple(judged.values()), clock() - start, stopped)
