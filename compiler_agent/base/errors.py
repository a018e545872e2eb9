"""Every error that this project raises on purpose.

    CompilerAgentError              3  something went wrong, said in one sentence, with a hint
    ├── NotEstablished              1  the work was done, the claim does not hold
    ├── UsageError                  2  the user asked for something that makes no sense
    │   └── ConfigurationError      2  an environment variable holds something that makes no sense
    ├── PlanError                   2  a plan's text cannot be read, or names what LLVM does not know
    ├── ObservationError            2  an observation was asked for of what is not there, as a function or a loop
    ├── ToolchainError              3  LLVM is missing, or is not the supported version
    ├── ToolError                   3  a program could not be started, failed, or was killed
    ├── EngineError                 3  the in-process LLVM refused or broke
    ├── FileError                   3  a file cannot be written: full disk, read-only, no permission
    ├── LockError                   3  the lock cannot be used
    │   ├── LockCorruptError        3  not JSON, a merge conflict, a wrong digest
    │   └── LockVersionError        3  written by a newer version of this project
    ├── StoreError                  3  the evaluations' database cannot be used
    └── ModelError                  3  the language model is not asked, or not waited for
        ├── BudgetSpent             3  the next call could exceed what may be spent
        ├── Interrupted             3  the user does not want to wait for the answer
        └── ModelFault              3  a call gave no reply (in search.chat: it knows what the calls cost)

The number is the exit status of the command line: 0 done, 1 ran but negative or not established, 2 usage,
3 could not run. Foreign exceptions are turned into these where they arise; whatever escapes is our bug.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import ClassVar

STDERR_TAIL_BYTES = 4000


class CompilerAgentError(Exception):
    """Root of all errors raised on purpose.

    Args:
        message: What is wrong and where, one sentence.
        hint: What to do about it; empty if nothing can be said.
    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class NotEstablished(CompilerAgentError):
    """The work was done, and what was claimed does not hold or was not shown."""

    exit_code = 1


class UsageError(CompilerAgentError):
    """The request itself makes no sense."""

    exit_code = 2


class ConfigurationError(UsageError):
    """An environment variable holds something that cannot be understood."""


class PlanError(CompilerAgentError):
    """A plan's text cannot be parsed, or it names a pass or an option that LLVM does not know."""

    exit_code = 2


class ObservationError(CompilerAgentError):
    """There is no such function or loop in the unit, or nothing can be observed of it; the hint lists near names."""

    exit_code = 2


class ToolchainError(CompilerAgentError):
    """LLVM or our own native component is missing or incomplete, or LLVM is not the supported version."""


class ToolError(CompilerAgentError):
    """A program could not be started, failed, was killed by a signal, or ran out of time.

    Args:
        argv: The command, whole.
        status: Its exit status; negative: the signal that ended it; None: it never started.
        stderr: What it wrote to stderr; only the tail is kept.
        reason: Replaces "exited with status N" where more is known.
    """

    def __init__(
        self, argv: Sequence[str], status: int | None, stderr: bytes = b"", *, reason: str = "", hint: str = ""
    ) -> None:
        self.argv = tuple(argv)
        self.status = status
        self.stderr_tail = stderr[-STDERR_TAIL_BYTES:].decode("utf-8", "replace").strip()
        if not reason:
            reason = "could not be started" if status is None else _describe_status(status)
        message = f"{shlex.join(self.argv)}: {reason}"
        if self.stderr_tail:
            message += "\n" + self.stderr_tail
        super().__init__(message, hint=hint)


class EngineError(CompilerAgentError):
    """The in-process LLVM (the plugin, or a serving clang) refused, broke, or answered nonsense."""


class FileError(CompilerAgentError):
    """A file or directory cannot be read or written."""


class LockError(CompilerAgentError):
    """The lock cannot be used; the baseline object is built instead."""


class LockCorruptError(LockError):
    """The lock is not JSON, lacks something, holds merge conflict markers, or a digest does not match."""


class LockVersionError(LockError):
    """The lock was written by a newer version of this project."""


class StoreError(CompilerAgentError):
    """The database of evaluations cannot be used."""


class ModelError(CompilerAgentError):
    """The language model is not asked any more, did not reply, or is not waited for."""


class BudgetSpent(ModelError):
    """The next call could exceed what may be spent, so it is not made."""


class Interrupted(ModelError):
    """The user does not want to wait for the answer."""


def _describe_status(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exited with status {status}"
