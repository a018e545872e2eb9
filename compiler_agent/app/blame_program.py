"""One translation unit inside a program: its object built some way, put in its place, and the program run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from compiler_agent.app.records import Record
from compiler_agent.base.errors import UsageError
from compiler_agent.base.process import check
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation import difftest
from compiler_agent.evaluation.difftest import Outcome, Reference, Workload
from compiler_agent.llvm import replay
from compiler_agent.llvm.launcher import described
from compiler_agent.llvm.plan import Plan
from compiler_agent.llvm.replay import Replayed

_LINK_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Unit:
    """A translation unit, and where what is made of it belongs."""

    record: Record
    """How it is compiled."""
    output: str
    """The file that the command makes, relative to the working directory."""
    link: tuple[str, ...] = ()
    """The whole command, where it also links: its source is replaced by the object. Empty for a command with -c."""

    @classmethod
    def of_command(cls, arguments: Sequence[str], cwd: Path) -> Unit:
        """The unit of a clang command's arguments, at -Oz unless they say otherwise.

        Raises:
            UsageError: It has not one source, or makes its output outside of the working directory.
        """
        row = described(["-O-agent=size", *arguments], cwd)
        sources = [source for source in row["sources"] if source.get("tune_argv")]
        if len(row["sources"]) != 1 or len(sources) != 1:
            raise UsageError(
                f"not one C or C++ source in: {' '.join(arguments)}", hint=row.get("reason") or "name one source"
            )
        (source,) = sources
        links = row["phase"] != "compile" or not {"-c", "--compile"} & set(arguments)
        output = row["output"] or ("a.out" if links else Path(source["path"]).with_suffix(".o").name)
        inside = (cwd / output).resolve()
        if not inside.is_relative_to(cwd.resolve()):
            raise UsageError(
                f"the command makes {output}, outside of {cwd}",
                hint="run from a directory that holds the sources and what is built of them",
            )
        record = Record(str(cwd), source["path"], "size", tuple(source["tune_argv"]))
        return cls(record, str(inside.relative_to(cwd.resolve())), tuple(row["translated"]) if links else ())

    @functools.cached_property
    def key(self) -> str:
        """The lock's key."""
        return replay.key_of(self.record.argv, self.record.cwd)

    @functools.cached_property
    def reference_object(self) -> bytes:
        """Its object at -O0."""
        return replay.compile_plainly(self.record.argv, self.record.cwd, "-O0")

    def compile(self, plan: Plan, *, timeout_s: float = replay.DEFAULT_TIMEOUT_S) -> Replayed:
        """Its object with a plan, as a replay from a lock ships it."""
        return replay.replay(self.record.argv, self.record.cwd, self.key, str(plan), timeout_s=timeout_s)

    def placed(self, content: bytes) -> dict[str, bytes]:
        """An object as `difftest` wants it: the file to replace, linked where the command links.

        Raises:
            ToolError: It does not link.
        """
        return {self.output: self._linked(content) if self.link else content}

    def _linked(self, content: bytes) -> bytes:
        with ScratchDirectory() as directory:
            object_file, program = Path(directory) / "unit.o", Path(directory) / "program"
            object_file.write_bytes(content)
            words = [str(object_file) if word == self.record.source else word for word in self.link]
            if "-x" in words or str(object_file) not in words:
                raise UsageError(
                    f"this command cannot be linked again with another object: {' '.join(self.link)}",
                    hint="compile with -c -o FILE.o and let --run link",
                )
            # The last -o counts.
            check([*words, "-o", program], cwd=self.record.cwd, timeout_s=_LINK_TIMEOUT_S)
            return program.read_bytes()


class Judge(Protocol):
    """What shows whether an object of a unit is wrong: a whole program, or the test of one function."""

    @property
    def unit(self) -> Unit:
        """The unit."""
        ...

    def judge(self, content: bytes) -> Outcome:
        """What is seen with this object of the unit.

        Raises:
            CompilerAgentError: It cannot be put in its place.
        """
        ...

    def shown(self) -> list[str]:
        """What happens, as Markdown, for a report."""
        ...

    def checked(self) -> list[str]:
        """What was established about the reference, one sentence each."""
        ...

    def to_see(self) -> list[str]:
        """How two objects are seen to differ, in words, line by line."""
        ...


@dataclass(frozen=True)
class Program:
    """A unit, and what shows how the program with it behaves."""

    unit: Unit
    """The unit."""
    references: tuple[Reference, ...]
    """What each workload does with the unit's object at -O0."""

    @classmethod
    def with_reference(cls, unit: Unit, workloads: Sequence[Workload]) -> Program:
        """Runs the reference.

        Raises:
            NotEstablished: It fails, or does not repeat.
        """
        placed = unit.placed(unit.reference_object)
        directory = Path(unit.record.cwd)
        return cls(unit, tuple(difftest.reference(workload, directory, replaced=placed) for workload in workloads))

    def judge(self, content: bytes) -> Outcome:
        """What the program does with this object of the unit."""
        return difftest.judge(self.references, Path(self.unit.record.cwd), replaced=self.unit.placed(content))

    def shown(self) -> list[str]:
        """What happens, as Markdown."""
        lines = []
        for reference in self.references:
            command = reference.workload.command
            lines += [f"`{command}`, with this unit compiled by the pipeline below instead of -O0:", ""]
        return lines

    def checked(self) -> list[str]:
        """What was established about the reference, one sentence each."""
        return [
            f"The program behaves the same each time with the unit at -O0 ({reference.workload.n_reference_runs} runs)."
            for reference in self.references[:1]
        ]

    def to_see(self) -> list[str]:
        """How the two objects are seen to differ, in words."""
        return [
            f"Put each in the place of {self.unit.output} in {self.unit.record.cwd} and run there:",
            *(f"  {reference.workload.command}" for reference in self.references),
        ]
