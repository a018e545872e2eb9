"""The other side of `bench engine`: one process of opt for each plan, and one of llc where an object is wanted."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.bench_size import serving_argv
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.process import Completed, run
from compiler_agent.evaluation.libraries import TranslationUnit
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.toolchain import discover

_TIMEOUT_S = 120.0
_COUNT = re.compile(rb"^TotalInstructionCount: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Taken:
    """What the processes of one plan took, without what it takes to start an empty program."""

    wall_time_s: float
    """On the clock, in seconds."""
    cpu_time_s: float
    """User and system time, in seconds."""
    ir_instructions: int
    """What they counted; 0 where an object was made."""


class Processes:
    """Evaluates plans on the bitcode that clang hands its first pass, which was written before anything is timed."""

    def __init__(self, unit: TranslationUnit, scratch: Path) -> None:
        """Writes the bitcode of a unit.

        Raises:
            CompilerAgentError: The unit does not compile.
        """
        self._bitcode = scratch / "unit.bc"
        clang = serving_argv(unit)
        command = [*clang[:-4], "-Xclang", "-disable-llvm-passes", "-emit-llvm", "-c", "-o", str(self._bitcode)]
        done = run([*command, clang[-1]], cwd=unit.directory, timeout_s=_TIMEOUT_S)
        if done.status != 0:
            raise CompilerAgentError(f"{unit.name} does not compile: {done.stderr.decode(errors='replace')[-500:]}")
        self._empty = sorted(
            (run(["true"], timeout_s=_TIMEOUT_S) for _ in range(9)), key=lambda each: each.wall_time_s
        )[4]

    def evaluate(self, plan: Plan, *, emit: bool) -> Taken | None:
        """Optimizes, and makes an object or counts instructions; None where opt or llc does not take the plan."""
        toolchain = discover()
        optimized, made = self._bitcode.with_suffix(".opt.bc"), self._bitcode.with_suffix(".o")
        options = [f"-{name}={value}" for name, value in plan.options]
        # opt has no cheaper way to count than this printer: LLVM's statistics are compiled out of release builds.
        counting = "" if emit else ",function(print<func-properties>)"
        output = ["-o", optimized] if emit else ["-disable-output"]
        steps = [[toolchain.opt, f"-passes={plan.pipeline}{counting}", *options, *output, self._bitcode]]
        if emit:
            steps.append(
                [toolchain.llc, "-O2", *options, "-filetype=obj", "--relocation-model=pic", "-o", made, optimized]
            )
        done: list[Completed] = []
        for step in steps:
            done.append(run(step, timeout_s=_TIMEOUT_S))
            if done[-1].status != 0:
                return None
        return Taken(
            sum(max(each.wall_time_s - self._empty.wall_time_s, 1e-6) for each in done),
            sum(max(each.cpu_time_s - self._empty.cpu_time_s, 0.0) for each in done),
            sum(int(count) for count in _COUNT.findall(done[0].stderr)),
        )
