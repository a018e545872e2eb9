"""What is tuned for speed: a program's units, how they are compiled, and the executables that come of that.

There are two kinds of program: one that we link ourselves (`program_linked`), and one that a user's build command makes
(`program_build`). A search sees neither, only this interface.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from compiler_agent.app.records import Record
from compiler_agent.base.errors import ToolError
from compiler_agent.base.files import file_error
from compiler_agent.evaluation.difftest import Outcome, Workload
from compiler_agent.evaluation.executor import Executor, shell_argv
from compiler_agent.evaluation.layout import Layouts
from compiler_agent.evaluation.profile import GENERATE, Profile, collect
from compiler_agent.llvm import elf, replay
from compiler_agent.llvm.engine import Outcome as Compilation
from compiler_agent.llvm.replay import Replayed
from compiler_agent.llvm.toolchain import discover

SHIPPED_LEVEL = "-O3"
"""What -O-agent=speed is where no plan is known."""

_PROFILE = "-fprofile-instr-use="
INSTRUMENTED = f"-O2 -fno-profile-instr-use {GENERATE}"
"""How a program is compiled to be profiled; the counts do not depend on the level."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A translation unit of a program."""

    record: Record
    """How it is compiled, at `SHIPPED_LEVEL` unless its own flags say otherwise."""
    key: str
    """Its key in a lock."""

    @classmethod
    def of(cls, record: Record) -> Unit:
        """The unit of a record, whose key is asked for where the launcher did not note it.

        Raises:
            EngineError: It does not compile.
        """
        return cls(record, record.key or replay.key_of(record.argv, record.cwd))


@dataclass(frozen=True, slots=True)
class Choice:
    """How the units of a program are compiled."""

    level: str = SHIPPED_LEVEL
    """The optimization level of all units that have no plan, as options of clang: words between spaces."""
    plans: Mapping[str, str] = field(default_factory=dict)
    """Plans by key; they begin from `SHIPPED_LEVEL`."""


class Program(Protocol):
    """A program that can be built in several ways, side by side."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def units(self) -> Sequence[Unit]:
        """Its translation units."""
        ...

    def layouts(self, choice: Choice, objects: Objects, place: Path) -> Layouts:
        """The executables of a choice, made below a directory that does not exist yet.

        Raises:
            CompilerAgentError: It does not build.
        """
        ...

    def profile(self, place: Path) -> Profile:
        """What is counted in a run of the input that is timed.

        Args:
            place: A directory for it, which does not exist yet.

        Raises:
            CompilerAgentError: It does not build, run, or count anything.
        """
        ...

    def executors(self) -> Sequence[AbstractContextManager[Executor]]:
        """What runs and times those executables: first the input that counts, then others to verify on."""
        ...

    def judge(self, layouts: Layouts, *, quickly: bool = False) -> Outcome:
        """Runs all inputs, or the first alone, confined, and compares what they do with the reference.

        Raises:
            NotEstablished: There is no reference: it fails, or does not repeat.
        """
        ...

    def evidence(self) -> dict[str, object]:
        """What a lock says of that comparison."""
        ...


def profile_digest(record: Record) -> str | None:
    """SHA-256 of the profile that a unit is compiled with, in hexadecimal; None: with none.

    Raises:
        FileError: It cannot be read.
    """
    named = [word.removeprefix(_PROFILE) for word in record.argv if word.startswith(_PROFILE)]
    if not named:
        return None
    path = Path(record.cwd) / named[-1]
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise file_error("read", path, error) from error


def profile_of(workload: Workload, directory: Path, place: Path) -> Profile:
    """Runs a workload in a directory with an instrumented program, and keeps what was counted in `place`."""
    shell, *arguments = shell_argv(workload.command)
    return collect(Path(shell), arguments, place, discover(), cwd=directory)


class Objects:
    """The objects of units, each made once: by clang alone, or by a replay of a plan, as a build ships it."""

    def __init__(self, timeout_s: float = replay.DEFAULT_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._known: dict[tuple[str, str], Replayed] = {}

    def compiled(self, unit: Unit, choice: Choice) -> Replayed:
        """The object of a unit, or why there is none."""
        plan = choice.plans.get(unit.key)
        what = (unit.key, plan or choice.level)
        if what not in self._known:
            self._known[what] = self._planned(unit, plan) if plan else self._plain(unit, choice.level)
        return self._known[what]

    def digest(self, units: Sequence[Unit], choice: Choice) -> str:
        """One digest of the objects of all units: equal programs have equal ones."""
        parts = (hashlib.sha256(self.compiled(unit, choice).content).digest() for unit in units)
        return hashlib.sha256(b"".join(parts)).hexdigest()

    def text_bytes(self, unit: Unit, choice: Choice) -> int:
        """The executable sections of a unit's object, in bytes."""
        return elf.text_bytes(self.compiled(unit, choice).content)

    def _planned(self, unit: Unit, plan: str) -> Replayed:
        return replay.replay(unit.record.argv, unit.record.cwd, unit.key, plan, timeout_s=self._timeout_s)

    def _plain(self, unit: Unit, level: str) -> Replayed:
        try:
            content = replay.compile_plainly(unit.record.argv, unit.record.cwd, *level.split())
        except ToolError as error:
            return Replayed(Compilation.ERROR, message=str(error))
        return Replayed(Compilation.OK, content)
