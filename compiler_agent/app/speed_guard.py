"""`--guard "speed>=0.99"`: plans for size that make a program slower than that are not kept."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.guard import Guard
from compiler_agent.app.program import Choice, Objects
from compiler_agent.app.program_build import BuiltProgram
from compiler_agent.app.program_test import Item
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.pairing import DEFAULT_SETTINGS, Settings
from compiler_agent.evaluation.session import Session


def too_slow(
    items: Sequence[Item],
    command: Sequence[str],
    cwd: Path,
    workloads: Sequence[Workload],
    guard: Guard,
    seed: int,
    settings: Settings = DEFAULT_SETTINGS,
) -> list[Item]:
    """The plans to leave out so that the program keeps to the guard: the lower end of its speedup's interval counts.

    Args:
        items: Plans for size.
        command: Builds the program.
        cwd: Where.
        workloads: What is run; the first is timed.
        guard: The limit.
        seed: Of what measuring draws.
        settings: How much is measured.

    Raises:
        NotEstablished: The program cannot be timed.
        CompilerAgentError: It does not build.
    """
    if not items:
        return []
    program, objects, numbers = BuiltProgram(command, cwd, workloads, "size"), Objects(), itertools.count()
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(ScratchDirectory()))
        executor = stack.enter_context(program.executors()[0])
        baseline = program.layouts(Choice(), objects, scratch / "baseline" / cwd.name)
        session = Session.start(baseline, executor, settings, name=f"{program.name} at -Oz", seed=seed)

        def keeps_to_it(group: Sequence[Item]) -> bool:
            choice, number = Choice(plans={key: entry.plan for key, entry in group}), next(numbers)
            found = session.confirm(f"group {number}", program.layouts(choice, objects, scratch / f"{number}"))
            return found.speedup is not None and found.speedup.low >= guard.limit

        return difftest.culprits(items, keeps_to_it)
