"""What a faster candidate must pass before it is kept, and again whenever its lock is verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from compiler_agent.app.program import Choice, Program
from compiler_agent.app.verification import Demands, establish
from compiler_agent.evaluation.cautions import CautionKind
from compiler_agent.evaluation.evaluate import Verdict
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.ledger import Ledger
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.evaluation.pairing import Outcome
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan

FIXED_LAYOUT_MARGIN = 1.03
"""What a program that is measured in one layout must gain: less may be the layout's doing (measurement.md)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was shown of a candidate."""

    verdict: Verdict
    """Whether it may be kept."""
    reason: str = ""
    """Why not."""
    ledgers: dict[str, Ledger] = field(default_factory=dict)
    """What was shown for each unit that has a plan, by key."""


def check_behaviour(
    program: Program,
    choice: Choice,
    layouts: Layouts,
    demands: Demands,
    on_function: Callable[[int, int], None] = lambda done, of: None,
) -> Checked:
    """Runs all inputs, and proves or tests each function whose code a plan changes.

    Args:
        program: The program.
        choice: The plans.
        layouts: What was built with them.
        demands: What they need to be kept.
        on_function: Told how many functions of a unit are done, and of how many.

    Raises:
        CompilerAgentError: There is no reference, or a unit does not compile.
    """
    outcome = program.judge(layouts)
    if not outcome.verdict.permits:
        return Checked(Verdict.MISCOMPILED, str(outcome))
    demands = replace(demands, program_follows=True)  # and its output was just found to be right
    ledgers: dict[str, Ledger] = {}
    for unit in program.units:
        if unit.key not in choice.plans:
            continue
        plan = Plan.parse(choice.plans[unit.key])
        ledgers[unit.key] = establish(unit.record, unit.key, plan, catalog.load(), demands, on_function=on_function)
        verdict, reason = demands.verdict(ledgers[unit.key])
        if not verdict.may_be_kept:
            return Checked(verdict, f"{unit.record.source}: {reason}", ledgers)
    return Checked(Verdict.ESTABLISHED, "", ledgers)


def why_not_faster(measured: Comparison, *, verified: bool = False) -> str:
    """Why a last measurement does not show that a candidate is faster; empty if it does.

    Args:
        measured: All its pairs.
        verified: The candidate was seen on inputs of other sizes before, so it may be as fast as it likes.
    """
    allowed = (Outcome.FASTER, Outcome.QUARANTINED) if verified else (Outcome.FASTER,)
    if measured.speedup is None or measured.outcome not in allowed:
        return f"measured again, {measured.reason}"
    is_fixed = any(one.kind is CautionKind.FIXED_LAYOUT for one in measured.cautions)
    least = FIXED_LAYOUT_MARGIN if is_fixed else 1.0
    where = f" in its one layout, which alone may account for {least}" if is_fixed else ""
    return "" if measured.speedup.low > least else f"measured again, its interval is {measured.speedup}{where}"
