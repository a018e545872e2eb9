"""Runs a program once, and says what it did and what that cost: the only part of measuring that touches programs.

Time is user and system time together, from rusage. Kernels that count in ticks (CONFIG_TICK_CPU_ACCOUNTING, the usual
case) know the sum to a microsecond, from the scheduler, and only guess its division from ticks of 1 to 10 ms: 26.7 ms
of pure computing are shown as 26.7 + 0 or as 22.7 + 4.0. Where both are counted, the sum is exact as well. So the sum
is what is compared; the user time and the clock are kept beside it.

A program is started in a copy of its directory, without the sandbox, whose cost is as large as what is to be seen; so
nothing is measured that was not judged before (difftest). Time, memory and output are limited.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from compiler_agent.base.config import child_environment
from compiler_agent.base.errors import UsageError
from compiler_agent.base.files import file_error
from compiler_agent.base.process import Completed, run
from compiler_agent.base.sandbox import KEPT_VARIABLES
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.evaluation.difftest import OUTPUT_LIMIT_BYTES, Behaviour, Workload
from compiler_agent.evaluation.difftest_files import Left, changes, copy_tree, snapshot

_PLAIN = re.compile(r"[\w ./,:@+-]*")
"""A command that a shell would only split at spaces; starting one costs as much as small differences."""
_ONE_PROGRAM = re.compile(r"[\w.,:@+-]*/[\w ./,:@+=<>'\"-]*")
"""A command that is a path, with arguments and files to read and write."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a program."""

    behaviour: Behaviour
    """What it did, with its time on the clock and of the processor."""
    user_time_s: float = 0.0
    """The part of the processor time that the kernel says was the program's own."""
    transferred: tuple[int, int] | None = None
    """Bytes read and written; None: the kernel does not say."""

    @classmethod
    def of(cls, done: Completed, files: Mapping[str, Left]) -> Run:
        """What a program that has ended did, with what became of files."""
        behaviour = Behaviour(
            status=done.status,
            stdout=done.stdout,
            stderr=done.stderr,
            files=files,
            timed_out=done.timed_out,
            truncated=done.output_truncated,
            wall_time_s=done.wall_time_s,
            cpu_time_s=done.cpu_time_s,
        )
        return cls(behaviour, done.user_time_s, done.transferred)


def shell_argv(command: str) -> list[str]:
    """Starts a shell command; the shell becomes its program where that is all, so that it ends when we are killed."""
    return ["/bin/sh", "-c", f"exec {command}" if _ONE_PROGRAM.fullmatch(command) else command]


class Executor(Protocol):
    """Runs one workload."""

    @property
    def workload(self) -> Workload:
        """What is run."""

    def run(self, executable: Path, *, environment_bytes: int, timeout_s: float) -> Run:
        """Runs the workload once.

        Args:
            executable: The program.
            environment_bytes: Size of an environment variable that is added: it moves the stack.
            timeout_s: Time on the clock after which it is killed.
        """


class ProcessExecutor:
    """Runs processes. Use as a context manager.

    Args:
        workload: What to run; a shell command, started without a shell where none is needed.
        directory: What the command finds in its working directory; it works in a copy, which is made new after each
            run that changed something.
        program: Where the command expects the executable, relative to that directory.
        under: A tool's command that this one is put behind, as valgrind's.
    """

    def __init__(self, workload: Workload, directory: Path, program: str, under: Sequence[str] = ()) -> None:
        if os.path.isabs(program):
            raise UsageError(f"{program} is an absolute path", hint="name the program relative to its directory")
        self.workload = workload
        self._directory = directory
        self._program = program
        command = workload.command
        self._argv = [*under, *(shlex.split(command) if _PLAIN.fullmatch(command) else shell_argv(command))]
        self._scratch = ScratchDirectory()
        self._place = Path(self._scratch.name) / "run"

    def __enter__(self) -> ProcessExecutor:
        copy_tree(self._directory, self._place)
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def run(self, executable: Path, *, environment_bytes: int, timeout_s: float) -> Run:
        """See `Executor`.

        Raises:
            FileError: The executable cannot be put in its place.
            ToolError: It cannot be started.
        """
        _install(executable, self._place / self._program)
        before = snapshot(self._place)
        ours = child_environment()
        kept = {name: ours[name] for name in KEPT_VARIABLES if name in ours}
        done = run(
            self._argv,
            cwd=self._place,
            env={**kept, "HOME": str(self._place), "CC_AGENT_GAP": "x" * environment_bytes},
            timeout_s=timeout_s,
            memory_bytes=self.workload.limits.memory_bytes,
            output_limit_bytes=OUTPUT_LIMIT_BYTES,
        )
        files = changes(self._place, before, self.workload.ignored_files)
        if snapshot(self._place) != before:
            shutil.rmtree(self._place, ignore_errors=True)
            copy_tree(self._directory, self._place)
        return Run.of(done, files)


def _install(executable: Path, place: Path) -> None:
    try:
        place.unlink(missing_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):  # another file system
            place.hardlink_to(executable)
            return
        shutil.copy2(executable, place)
    except OSError as error:
        raise file_error("write", place, error) from error
