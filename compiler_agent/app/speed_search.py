"""The search for plans that make a program faster: stock configurations first, then what a strategy proposes.

Each candidate is compiled as it would ship. One that is the same program as an earlier candidate has that one's figure
and is not timed again; one that does something else than the reference is not timed at all.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compiler_agent.app.program import SHIPPED_LEVEL, Choice, Objects, Program
from compiler_agent.app.speed_candidates import Candidate, Candidates, Rejected
from compiler_agent.base.config import Budget
from compiler_agent.base.errors import CompilerAgentError, NotEstablished
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.executor import Executor
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.measure import Comparison, Stopping
from compiler_agent.evaluation.pairing import Outcome, Settings
from compiler_agent.evaluation.samples import SampleFile
from compiler_agent.evaluation.session import Session
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import STOCK
from compiler_agent.search.strategy import Score, Strategy

_ASKED_TIMES = 5
"""A strategy may propose so many times the budget; the others are rejected, or known programs."""
_INTERVAL_ERRORS = 1.96
"""Standard errors from the middle of a normal distribution to the ends of its 95% interval."""
_VERDICTS = {
    Outcome.FASTER: Verdict.ESTABLISHED,
    Outcome.SLOWER: Verdict.NOT_BETTER,
    Outcome.NOT_SHOWN: Verdict.NOT_BETTER,
    Outcome.QUARANTINED: Verdict.NOT_ESTABLISHED,
    Outcome.WRONG_OUTPUT: Verdict.MISCOMPILED,
    Outcome.NOT_REPEATABLE: Verdict.MISCOMPILED,
    Outcome.FAILED: Verdict.MISCOMPILED,
    Outcome.CRASHED: Verdict.MISCOMPILED,
    Outcome.HUNG: Verdict.MISCOMPILED,
}


@dataclass(frozen=True, slots=True)
class Measuring:
    """How a program is timed."""

    settings: Settings
    """How much."""
    seed: int
    """Of orders, layouts and environments."""
    n_candidates: int
    """Most that are timed: what a claim needs depends on it."""
    name: str
    """Names the session among the raw times."""
    samples: SampleFile | None = None
    """Where raw times are kept; None: nowhere."""


@dataclass(frozen=True, slots=True)
class Stock:
    """The stock configurations of a program, and the session against the fastest of them."""

    level: str
    """The fastest, as options of clang."""
    speedups: dict[str, float]
    """How much faster each one is than `SHIPPED_LEVEL`: medians."""
    session: Session
    """Compares with it."""

    @property
    def shipped_ratio(self) -> float:
        """The time that `SHIPPED_LEVEL` takes ÷ that of the fastest, as strategies are told times."""
        return self.speedups[self.level] / self.speedups[SHIPPED_LEVEL]


@dataclass(frozen=True, slots=True)
class Timed:
    """A candidate that was timed, or is the same program as one that was."""

    candidate: Candidate
    """It."""
    comparison: Comparison
    """What was found."""
    layouts: Layouts
    """Its executables, while it may be kept."""

    @property
    def speedup(self) -> float:
        """The median; 0 where there is none."""
        return self.comparison.speedup.median if self.comparison.speedup else 0.0


@dataclass
class Found:
    """What a search found so far."""

    timed: dict[str, Timed] = field(default_factory=dict)
    """By the digest of the program, in the order in which they were timed."""
    rejected: list[tuple[Plan, Verdict, str]] = field(default_factory=list)
    """Plans that were not timed, and why."""
    n_asked: int = 0
    """Plans that were proposed."""
    interrupted: bool = False
    """Ended early by the user."""

    @property
    def n_wrong(self) -> int:
        """Plans with which the program did something else."""
        wrong = [verdict for _, verdict, _ in self.rejected]
        wrong += [_VERDICTS[one.comparison.outcome] for one in self.timed.values()]
        return wrong.count(Verdict.MISCOMPILED)


def measure_stock(
    program: Program,
    objects: Objects,
    executors: Sequence[Executor],
    levels: Sequence[str],
    measuring: Measuring,
    scratch: Path,
) -> Stock:
    """Times the stock configurations against each other, and begins a session against the fastest.

    Args:
        program: The program.
        objects: Where its objects are kept.
        executors: Run its inputs, the timed one first.
        levels: The configurations, the one that ships without a plan first.
        measuring: How it is timed.
        scratch: A directory for what is built.

    Raises:
        NotEstablished: The program cannot be timed: it fails, does not repeat itself, differs from itself, takes too
            long, or does something else than at -O0.
    """
    built = {
        level: program.layouts(Choice(level), objects, scratch / f"stock-{number}")
        for number, level in enumerate(levels)
    }
    best, *others = levels
    outcome = program.judge(built[best])
    if not outcome.verdict.permits:
        raise NotEstablished(
            f"at {best} the program does not do what it does at -O0: {outcome}",
            hint="its source relies on what C and C++ leave undefined, or on the order of floating-point operations "
            "(see --tolerance)",
        )

    def start(level: str) -> Session:
        return Session.start(
            built[level],
            executors[0],
            measuring.settings,
            name=f"{measuring.name} against {level}",
            seed=measuring.seed,
            n_candidates=measuring.n_candidates,
            fresh=[one for one in executors if one.workload.command != executors[0].workload.command],
            samples=measuring.samples,
        )

    session, speedups = start(best), {best: 1.0}
    for level in others:
        seen = session.measure(f"stock {level}", built[level], Stopping.GAINS)
        if seen.speedup is None:
            continue  # it fails at that level: no baseline
        speedups[level] = speedups[best] * seen.speedup.median
        if seen.outcome in (Outcome.FASTER, Outcome.QUARANTINED):
            session, best = start(level), level
    return Stock(best, speedups, session)


def search(
    strategy: Strategy,
    candidates: Candidates,
    stock: Stock,
    budget: Budget,
    scratch: Path,
    *,
    on_timed: Callable[[Timed], None] = lambda timed: None,
    most_seconds: float | None = None,
) -> Found:
    """Times what a strategy proposes, to the end of the budget: so many *timed* candidates, or a time.

    Ctrl-C ends it where it is; what was found is returned. So do `most_seconds`, whatever the budget.
    """
    found = Found()
    shipped = candidates.make(STOCK)
    if stock.level != SHIPPED_LEVEL:
        strategy.tell(Score(STOCK, stock.shipped_ratio, may_be_kept=False))
    try:
        for number, plan in _proposals(strategy, budget, found, most_seconds):
            try:
                candidate = candidates.make(plan)
                score = _known(candidate, shipped, stock, found)
                if score is None:
                    timed = _time(candidate, candidates, stock.session, scratch / f"candidate-{number}")
                    found.timed[candidate.digest] = timed
                    score = _score(plan, timed.comparison)
                    on_timed(timed)
            except Rejected as rejected:
                found.rejected.append((plan, rejected.verdict, rejected.message))
                score = Score(plan, None, may_be_kept=False, verdict=rejected.verdict, reason=rejected.message)
            strategy.tell(score)
    except KeyboardInterrupt:
        found.interrupted = True
    return found


def _proposals(
    strategy: Strategy, budget: Budget, found: Found, most_seconds: float | None
) -> Iterator[tuple[int, Plan]]:
    """Numbered proposals while there is budget."""
    started_s = time.monotonic()
    while True:
        seconds = time.monotonic() - started_s
        spent = any(limit is not None and seconds >= limit for limit in (budget.seconds, most_seconds))
        if budget.n_evaluations is not None:
            spent |= len(found.timed) >= budget.n_evaluations or found.n_asked >= _ASKED_TIMES * budget.n_evaluations
        plan = None if spent else strategy.ask()
        if plan is None:
            return
        found.n_asked += 1
        yield found.n_asked, plan


def _known(candidate: Candidate, shipped: Candidate, stock: Stock, found: Found) -> Score | None:
    """The score of a program that has been timed already."""
    if candidate.digest == shipped.digest:
        reason = "it is the same program as without a plan"
        return Score(candidate.plan, stock.shipped_ratio, False, Verdict.NOT_BETTER, reason)
    if candidate.digest in found.timed:
        return _score(candidate.plan, found.timed[candidate.digest].comparison)
    return None


def _time(candidate: Candidate, candidates: Candidates, session: Session, place: Path) -> Timed:
    """Times a candidate; what it was built of stays only while it may be kept.

    A baseline that did something else, or hung, during this comparison says nothing about the others.
    """
    layouts = candidates.build(candidate, place)
    comparison = None
    try:
        comparison = session.compare(str(candidate.plan), layouts)
    except CompilerAgentError as error:
        raise Rejected(Verdict.NOT_ESTABLISHED, str(error)) from error
    finally:
        if comparison is None or not comparison.outcome.permits:
            shutil.rmtree(place, ignore_errors=True)
    return Timed(candidate, comparison, layouts)


def _score(plan: Plan, found: Comparison) -> Score:
    verdict = _VERDICTS[found.outcome]
    if found.speedup is None or verdict is Verdict.MISCOMPILED:
        return Score(plan, None, may_be_kept=False, verdict=verdict, reason=found.reason)
    error = math.log(found.speedup.high / found.speedup.low) / (2 * _INTERVAL_ERRORS)
    return Score(plan, 1 / found.speedup.median, found.outcome.permits, verdict, found.reason, error)
