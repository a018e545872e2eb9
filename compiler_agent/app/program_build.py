"""A user's program, as their own build command makes it; each way of compiling it in a private copy of the tree.

So two ways stand side by side and can be run in turns, and the user's own directory is only read. How such a program is
linked is its build's business: its layout is what it is, and only the stack is moved from run to run.
"""

from __future__ import annotations

import contextlib
import functools
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from compiler_agent.app.program import INSTRUMENTED, SHIPPED_LEVEL, Choice, Objects, Unit, profile_of
from compiler_agent.app.program_test import build, build_with, evidence_of, overriding, record_build, references
from compiler_agent.base.config import child_environment
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.base.process import run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import OUTPUT_LIMIT_BYTES, Outcome, Reference, Workload
from compiler_agent.evaluation.difftest_files import changes, copy_tree, snapshot
from compiler_agent.evaluation.executor import Executor, Run, shell_argv
from compiler_agent.evaluation.layout import FixedLayout, Layouts
from compiler_agent.evaluation.profile import Profile
from compiler_agent.llvm import replay


class BuiltProgram:
    """A program that a build command makes.

    Args:
        command: Builds everything again.
        cwd: Where it is run.
        workloads: The commands that show whether the program is right; the first is timed.
        objective: Of its units that plans are for: speed, or size, whose stock configuration is -Oz.

    Raises:
        UsageError: Nothing in the build goes through cc-agent with that -O-agent, or a command names the directory.
        CompilerAgentError: The build fails.
    """

    def __init__(
        self, command: Sequence[str], cwd: Path, workloads: Sequence[Workload], objective: str = "speed"
    ) -> None:
        for words in (shlex.join(command), *(workload.command for workload in workloads)):
            if str(cwd) in words:
                raise UsageError(
                    f"`{words}` names {cwd}, and copies of that directory are built and run elsewhere",
                    hint="write paths relative to it",
                )
        self._command, self._cwd, self._workloads, self._objective = command, cwd, workloads, objective
        self.name = cwd.name
        self.units = [Unit.of(record) for record in record_build(command, cwd, objective) if record.has_source]

    def layouts(self, choice: Choice, objects: Objects, place: Path) -> Layouts:
        """Copies the directory and builds there.

        Raises:
            NotEstablished: The build does not compile the units again, or does so elsewhere.
            CompilerAgentError: It fails.
        """
        copy_tree(self._cwd, place)
        before = snapshot(self._cwd)
        if choice.plans:
            keys = build_with(replay.lock_of(choice.plans), self._command, place, self._objective)
            if missing := choice.plans.keys() - keys:
                raise NotEstablished(f"the build did not compile {len(missing)} of the units again")
        else:
            other = {} if choice.level == SHIPPED_LEVEL else overriding(choice.level)
            build(self._command, place, self._objective, CC_AGENT_MODE="off", **other)
        if snapshot(self._cwd) != before:
            raise NotEstablished(
                f"`{shlex.join(self._command)}` writes to {self._cwd} also where it runs in a copy of it",
                hint="build without absolute paths: for CMake, let the command configure, too",
            )
        return FixedLayout(place)

    def profile(self, place: Path) -> Profile:
        """What is counted in a run of the first command."""
        tree = place / "tree"
        place.mkdir(parents=True)
        copy_tree(self._cwd, tree)
        build(self._command, tree, self._objective, CC_AGENT_MODE="off", **overriding(INSTRUMENTED))
        return profile_of(self._workloads[0], tree, place)

    def executors(self) -> list[AbstractContextManager[Executor]]:
        """They run in the copies themselves."""
        return [contextlib.nullcontext(TreeExecutor(workload)) for workload in self._workloads]

    def judge(self, layouts: Layouts, *, quickly: bool = False) -> Outcome:
        """Runs the commands, or the first alone, confined, and compares with the build at -O0."""
        return difftest.judge(self.references[: 1 if quickly else None], layouts.executable(0))

    def evidence(self) -> dict[str, object]:
        """How the commands were run, and what was compared."""
        return evidence_of(self.references)

    @functools.cached_property
    def references(self) -> list[Reference]:
        """What the commands do on the build at -O0.

        Raises:
            NotEstablished: They fail there, or do not repeat.
        """
        with ScratchDirectory() as scratch:
            place = Path(scratch) / "reference"
            copy_tree(self._cwd, place)
            return references(self._command, place, self._workloads, self._objective)


class TreeExecutor:
    """Runs a workload in a directory in which a program was built; the directory stands for the executable.

    Args:
        workload: What to run.
    """

    def __init__(self, workload: Workload) -> None:
        self.workload = workload

    def run(self, executable: Path, *, environment_bytes: int, timeout_s: float) -> Run:
        """See `Executor`."""
        before = snapshot(executable)
        done = run(
            shell_argv(self.workload.command),
            cwd=executable,
            env=child_environment(CC_AGENT_GAP="x" * environment_bytes),
            timeout_s=timeout_s,
            memory_bytes=self.workload.limits.memory_bytes,
            output_limit_bytes=OUTPUT_LIMIT_BYTES,
        )
        return Run.of(done, changes(executable, before, self.workload.ignored_files))
