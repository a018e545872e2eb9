"""What a search for speed tells its strategy, without a program."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from compiler_agent.app.program import Choice
from compiler_agent.app.speed_candidates import Candidate
from compiler_agent.app.speed_search import Stock, search
from compiler_agent.base.config import Budget
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import STOCK
from compiler_agent.search.strategy import Score

SAME = Plan.parse("-passes=default<O3> -enable-gvn-hoist=true")


class Proposing:
    """Proposes one plan, and notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Score] = []
        self._plans = [SAME]

    def ask(self) -> Plan | None:
        return self._plans.pop() if self._plans else None

    def tell(self, score: Score) -> None:
        self.told.append(score)


@pytest.mark.parametrize("fastest", ["-O2", "-O3"])
def test_clangs_own_plan_is_as_slow_as_it_was_measured(fastest: str, tmp_path: Path) -> None:
    same = SimpleNamespace(make=lambda plan: Candidate(plan, Choice(), "always the same program", 100))
    strategy = Proposing()
    stock = Stock(fastest, {"-O3": 1.0, "-O2": 1.25}, session=None)  # type: ignore[arg-type]
    search(strategy, same, stock, Budget(n_evaluations=1), tmp_path)  # type: ignore[arg-type]
    told = [(score.plan, score.value, score.may_be_kept) for score in strategy.told]
    # Times are candidate ÷ baseline: -O3 takes a quarter longer than a baseline that is a quarter faster.
    if fastest == "-O2":
        assert told == [(STOCK, 1.25, False), (SAME, 1.25, False)]
    else:
        assert told == [(SAME, 1.0, False)]
