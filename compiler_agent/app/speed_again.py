"""A plan that a search kept is measured once more: over all pairs, in layouts of its own seed, whatever comes of it.

A search gives up what does not look promising, and claims only what holds for all its candidates together. The figure
of a second run must not pass through either: a gain that is merely not shown again would be reported as none.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.program import Choice, Objects, Program
from compiler_agent.app.speed_candidates import Candidates
from compiler_agent.app.speed_search import Measuring, measure_stock
from compiler_agent.app.tune_speed import SpeedOptions, profiled
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.measure import Comparison
from compiler_agent.llvm import catalog
from compiler_agent.llvm.plan import Plan
from compiler_agent.search.speed_space import SpeedSpace


@dataclass(frozen=True, slots=True)
class Again:
    """What a second measurement gave."""

    comparison: Comparison
    """With the baseline of the first one."""
    size_ratio: float
    """Executable bytes, what ships without a plan ÷ with this one."""


def measure_again(
    program: Program, plan: Plan, level: str, options: SpeedOptions, say: Callable[[str], None] = lambda text: None
) -> Again:
    """Measures a plan against a stock configuration; nothing is searched, chosen or given up.

    Args:
        program: The program.
        plan: For the whole program, as `tune_program` keeps it.
        level: The stock configuration that it was measured against.
        options: How much is measured, and with which seed.
        say: Told what a person should know while it goes on.

    Raises:
        NotEstablished: The program cannot be timed.
        Rejected: The plan is none for this program any more: it does not compile, or the program does something else.
        CompilerAgentError: The program does not build.
    """
    objects = Objects()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(ScratchDirectory()))
        executors = [stack.enter_context(one) for one in program.executors()]
        _, hot = profiled(program, {unit.key for unit in program.units}, scratch / "profile", say)
        space = SpeedSpace(catalog.load(), (), allow_experimental=options.allow_experimental)
        candidates = Candidates(program, objects, hot, space, allow_experimental=options.allow_experimental)
        candidate = candidates.make(plan)
        layouts = candidates.build(candidate, scratch / "plan")
        measuring = Measuring(
            options.settings, options.seed, 1, f"{options.name or program.name} again", options.samples
        )
        baseline = measure_stock(program, objects, executors, [level], measuring, scratch)
        comparison = baseline.session.confirm(str(plan), layouts)
    return Again(comparison, candidates.text_bytes(Choice()) / candidate.text_bytes)
