"""Whole-program differential testing: the same command on the program built two ways must behave the same.

Function-level differential testing is not built yet; it will stand beside this.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.process import Completed, run

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a command did, as far as it is compared."""

    status: int
    """Exit status; negative: ended by that signal."""
    stdout_sha256: str
    """Digest of standard output."""
    timed_out: bool
    """It had to be stopped."""

    def difference(self, other: Behaviour) -> str:
        """How the other differs, in words; empty if it does not."""
        if other.timed_out and not self.timed_out:
            return "it did not end in time"
        if self.status != other.status:
            return f"exit status {other.status} instead of {self.status}"
        if self.stdout_sha256 != other.stdout_sha256:
            return "its standard output differs"
        return ""


def observe(command: str, cwd: str | os.PathLike[str], timeout_s: float) -> tuple[Behaviour, Completed]:
    """Runs a shell command and says what it did."""
    done = run(["/bin/sh", "-c", command], cwd=cwd, timeout_s=timeout_s, output_limit_bytes=1 << 28)
    return Behaviour(done.status, hashlib.sha256(done.stdout).hexdigest(), done.timed_out), done


def reference(command: str, cwd: str | os.PathLike[str], timeout_s: float) -> Behaviour:
    """The behaviour that candidates must have: the baseline's, which must pass and repeat.

    Raises:
        NotEstablished: The command fails or does something else the second time.
    """
    first, done = observe(command, cwd, timeout_s)
    if first.status != 0 or first.timed_out:
        tail = done.stderr.decode(errors="replace")[-500:].strip()
        raise NotEstablished(
            f"the test command fails on the baseline (status {first.status}): {command}: {tail}",
            hint="a plan can only be tested where clang's own build passes",
        )
    second, _ = observe(command, cwd, timeout_s)
    if difference := first.difference(second):
        raise NotEstablished(
            f"the test command is not repeatable on the baseline: {difference}: {command}",
            hint="make its output deterministic (no times, addresses, random numbers)",
        )
    return first


def culprits(items: Sequence[_Item], passes: Callable[[Sequence[_Item]], bool]) -> list[_Item]:
    """The items to leave out so that the rest passes, by halving: few tests where few items are to blame.

    Where only a combination fails, the items that complete it are named.
    """
    good: list[_Item] = []

    def keep_what_passes(group: Sequence[_Item]) -> None:
        if passes([*good, *group]):
            good.extend(group)
        elif len(group) > 1:
            middle = len(group) // 2
            keep_what_passes(group[:middle])
            keep_what_passes(group[middle:])

    if items:
        keep_what_passes(items)
    return [item for item in items if item not in good]
