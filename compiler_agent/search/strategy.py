"""What a strategy is: it asks for plans to be judged and is told their scores. It never judges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from compiler_agent.llvm.plan import Plan


@dataclass(frozen=True, slots=True)
class Score:
    """What a strategy learns of a plan."""

    plan: Plan
    """The plan."""
    value: float | None
    """The objective's figure, less is better; None: the plan failed. For speed: the time, candidate ÷ baseline."""
    may_be_kept: bool
    """Whether its verdict permits keeping it."""
    verdict: str = ""
    """The verdict's name."""
    reason: str = ""
    """Why it may not be kept, as a compiler or the judge said it."""
    error: float = 0.0
    """Standard error of the natural logarithm of a time's ratio; 0 for figures that repeat exactly."""


class Strategy(Protocol):
    """Proposes plans, ask/tell."""

    def ask(self) -> Plan | None:
        """The next plan to judge, or None when there is nothing more to propose."""
        ...

    def tell(self, score: Score) -> None:
        """The outcome of a plan that was asked for."""
        ...


def ranked(scores: Sequence[Score]) -> list[Score]:
    """Scores that have a figure, best first; ties go to the shorter plan."""
    return sorted(
        (score for score in scores if score.value is not None), key=lambda score: (score.value, len(str(score.plan)))
    )
