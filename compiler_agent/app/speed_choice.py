"""After a search for speed: which of the faster candidates is kept, and by which figure."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from compiler_agent.app.program import Program
from compiler_agent.app.speed_candidates import Candidates
from compiler_agent.app.speed_search import Found, Stock, Timed
from compiler_agent.app.speed_verification import check_behaviour, why_not_faster
from compiler_agent.app.verification import Demands
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import Outcome

_FINALISTS = 3
"""So many of the best are measured again, from the start; more would only be chosen by their luck."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A faster candidate that is not kept."""

    timed: Timed
    """It."""
    reason: str
    """Why not."""


@dataclass
class Chosen:
    """What is kept of what a search found."""

    best: Timed | None = None
    """The candidate; None: none may be kept."""
    confirmed: Comparison | None = None
    """Its figure, of samples that neither search nor choice has seen."""
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    """What was shown for each of its units, by key."""
    refused: list[Refused] = field(default_factory=list)
    """Faster candidates that may not be kept."""


def choose(
    program: Program,
    candidates: Candidates,
    baselines: Stock,
    found: Found,
    demands: Demands,
    on_function: Callable[[int, int], None],
) -> Chosen:
    """The first of the finalists that behaves as it should and is faster in samples that nobody has seen."""
    chosen = Chosen()
    for timed in _finalists(baselines, found):
        best = replace(timed, candidate=candidates.reduced(timed.candidate))
        try:
            checked = check_behaviour(program, best.candidate.choice, best.layouts, demands, on_function)
            reason = checked.reason
            if checked.verdict.may_be_kept:
                confirmed = baselines.session.confirm(str(timed.candidate.plan), best.layouts)
                reason = why_not_faster(confirmed)
                if not reason:
                    return Chosen(best, confirmed, checked.ledgers, chosen.refused)
        except CompilerAgentError as error:
            reason = str(error)
        chosen.refused.append(Refused(best, reason))
    chosen.refused += [Refused(one, one.comparison.reason) for one in _quarantined(found)]
    return chosen


def _finalists(baselines: Stock, found: Found) -> list[Timed]:
    """The best that may be said to be faster, by a measurement from the start of some of them."""
    session = baselines.session
    kept = set(session.kept())
    timed = [one for one in found.timed.values() if str(one.candidate.plan) in kept]
    best = sorted(timed, key=lambda one: -one.speedup)[:_FINALISTS]
    if len(best) < 2:
        return best

    def again(one: Timed) -> float:
        with contextlib.suppress(CompilerAgentError):
            seen = session.measure(f"final {one.candidate.plan}", one.layouts)
            return seen.speedup.median if seen.speedup else 0.0
        return 0.0

    return [one for _, one in sorted(((again(one), one) for one in best), key=lambda pair: -pair[0])]


def _quarantined(found: Found) -> list[Timed]:
    """The fastest candidate that looks too good and could not be verified on another input, if there is one."""
    odd = [one for one in found.timed.values() if one.comparison.outcome is Outcome.QUARANTINED]
    return sorted(odd, key=lambda one: -one.speedup)[:1]
