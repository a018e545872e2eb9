"""A program that we compile and link ourselves, in as many layouts as are wanted: benchmarks, and clang commands."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from compiler_agent.app.program import INSTRUMENTED, Choice, Objects, Unit, profile_of
from compiler_agent.app.program_test import evidence_of
from compiler_agent.app.records import records_of
from compiler_agent.base.errors import NotEstablished, UsageError
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import Outcome, Reference, Workload
from compiler_agent.evaluation.difftest_files import copy_tree
from compiler_agent.evaluation.executor import Executor, ProcessExecutor
from compiler_agent.evaluation.layout import Layouts, LinkedLayouts
from compiler_agent.evaluation.profile import GENERATE, Profile
from compiler_agent.llvm.engine import Outcome as Compilation
from compiler_agent.llvm.launcher import described
from compiler_agent.llvm.toolchain import discover

_LINK_TIMEOUT_S = 120.0
_NO_PROGRAM = frozenset({"-c", "--compile", "-S", "-E", "-fsyntax-only", "-x"})
"""Options with which a command makes no program, or takes objects for sources."""


class LinkedProgram:
    """A program made of units by one link command.

    Args:
        name: For people.
        units: Its translation units, and the word in the link command that stands for each one's object.
        link: The command that links it, without -o.
        directory: What its runs find in their working directory.
        program: Where they expect it, relative to that directory.
        workloads: Its inputs; the first is timed.
        references: What each of them does; None: what it does where all is built at -O0.
        seed: Of its layouts. With another one, another measurement has layouts that this one has not seen.
    """

    def __init__(
        self,
        name: str,
        units: Sequence[tuple[Unit, str]],
        link: Sequence[str],
        directory: Path,
        program: str,
        workloads: Sequence[Workload],
        references: Sequence[Reference] | None = None,
        seed: int | str = 0,
    ) -> None:
        self.name, self._seed = name, seed
        self.units = [unit for unit, _ in units]
        self._words = [word for _, word in units]
        self._link, self._directory, self._program = tuple(link), directory, program
        self._workloads, self._given = workloads, references

    def layouts(self, choice: Choice, objects: Objects, place: Path) -> Layouts:
        """The objects of a choice, to be linked in many ways.

        Raises:
            NotEstablished: A unit does not compile.
        """
        link = self._command(choice, objects, place)
        return LinkedLayouts(link, place, discover(), seed=self._seed, gaps=place.parent / "gaps")

    def _command(self, choice: Choice, objects: Objects, place: Path) -> list[str]:
        """Puts the objects of a choice into a new directory; the command that links them, without -o."""
        place.mkdir(parents=True)
        files = {}
        for number, (unit, word) in enumerate(zip(self.units, self._words, strict=True)):
            compiled = objects.compiled(unit, choice)
            if compiled.outcome is not Compilation.OK:
                raise NotEstablished(f"{unit.record.source} does not compile: {compiled.outcome}: {compiled.message}")
            file = place / f"{number}.o"
            file.write_bytes(compiled.content)
            files[word] = str(file)
        return [files.get(word, word) for word in self._link]

    def profile(self, place: Path) -> Profile:
        """What is counted in a run of the first input."""
        command = self._command(Choice(INSTRUMENTED), Objects(), place)
        with ScratchDirectory() as scratch:
            directory = Path(scratch) / "run"
            copy_tree(self._directory, directory)
            program = directory / self._program
            program.unlink(missing_ok=True)
            check([*command, GENERATE, "-o", program], timeout_s=_LINK_TIMEOUT_S)
            return profile_of(self._workloads[0], directory, place)

    def executors(self) -> list[AbstractContextManager[Executor]]:
        """They run in copies of the directory."""
        return [ProcessExecutor(workload, self._directory, self._program) for workload in self._workloads]

    def judge(self, layouts: Layouts, *, quickly: bool = False) -> Outcome:
        """Runs all inputs, or the first alone."""
        with self._judged_in() as directory:
            return difftest.judge(self.references[: 1 if quickly else None], directory, replaced=self._placed(layouts))

    def evidence(self) -> dict[str, object]:
        """How all inputs were run, and what was compared."""
        return evidence_of(self.references)

    @functools.cached_property
    def references(self) -> Sequence[Reference]:
        """What each input does.

        Raises:
            NotEstablished: It fails at -O0, or does not repeat.
        """
        if self._given is not None:
            return self._given
        with ScratchDirectory() as scratch:
            placed = self._placed(self.layouts(Choice("-O0"), Objects(), Path(scratch) / "reference"))
        with self._judged_in() as directory:
            return [difftest.reference(workload, directory, replaced=placed) for workload in self._workloads]

    @contextlib.contextmanager
    def _judged_in(self) -> Iterator[Path]:
        """Where inputs are run; without the sandbox, which makes copies, in one: the user's program is not replaced."""
        if all(workload.sandboxed for workload in self._workloads):
            yield self._directory
            return
        with ScratchDirectory() as scratch:
            copy_tree(self._directory, Path(scratch) / "run")
            yield Path(scratch) / "run"

    def _placed(self, layouts: Layouts) -> dict[str, bytes]:
        return {self._program: layouts.executable(0).read_bytes()}


def of_command(
    arguments: Sequence[str], cwd: Path, workloads: Sequence[Workload], seed: int | str = 0
) -> LinkedProgram:
    """The program that a clang command with these arguments compiles and links, at -O-agent=speed.

    Args:
        arguments: Without the compiler's name.
        cwd: Where it is run.
        workloads: The commands that show whether the program is right; the first is timed.
        seed: Of its layouts.

    Raises:
        UsageError: It does not link a program out of C and C++ sources.
        EngineError: A source does not compile.
    """
    row = described([*arguments, "-O-agent=speed"], cwd)
    records = records_of(row, cwd)
    if not records or _NO_PROGRAM & set(row["translated"]):
        raise UsageError(
            f"no program comes of: {shlex.join(arguments)}",
            hint=row["reason"] or "only a program can be timed: name its C or C++ sources, or give its build",
        )
    units = [(Unit.of(record), record.source) for record in records]
    toolchain = discover()
    linker = toolchain.clangxx if any(source["language"] == "c++" for source in row["sources"]) else toolchain.clang
    link, program = [str(linker), *row["translated"][1:]], os.path.normpath(row["output"] or "a.out")
    # Runs are in copies of the directory: what they find elsewhere would be another program than the one to be judged.
    for what, words in (("-o", program), *(("--run", workload.command) for workload in workloads)):
        if str(cwd) in words or (what == "-o" and program.startswith(("/", "../"))):
            raise UsageError(
                f"{what} {words} names a place outside of the copies of {cwd} that programs are run in",
                hint="give the program a path in this directory, and write paths relative to it",
            )
    return LinkedProgram(Path(program).name, units, link, cwd, program, workloads, seed=seed)
