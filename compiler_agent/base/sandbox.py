"""Runs programs that are not trusted: what a candidate plan made of a program, and the tests that run it.

`run_confined` starts the native `cc-agent-confine` (passes/confine): no network, limits on time, memory, processes and
file size, nothing written outside of one scratch directory, and nobody else's processes in sight. Where the kernel
allows no namespaces the limits remain, and the result says so. See docs/decisions/0005-sandbox.md.
"""

from __future__ import annotations

import enum
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from compiler_agent.base.config import child_environment, native_file
from compiler_agent.base.errors import ToolError
from compiler_agent.base.process import OUTPUT_LIMIT_BYTES, Completed, run
from compiler_agent.base.scratch import ScratchDirectory

KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TERM", "LD_LIBRARY_PATH")
"""What a confined program gets of our environment: no keys, no addresses of agents and services."""


class Confinement(enum.StrEnum):
    """How far a program was kept from the rest of the machine."""

    FULL = "full"
    """Own namespaces: no network, no other processes, only the scratch directory can be written to."""
    LIMITS_ONLY = "limits-only"
    """Limits, and no sockets; it could write wherever its user may, and see and end that user's processes."""


class Ending(enum.StrEnum):
    """How a confined program ended."""

    EXITED = "exited"
    """By itself, with a status."""
    SIGNALLED = "signalled"
    """By a signal: its own fault, or a limit that the kernel holds (CPU time, file size)."""
    TIMED_OUT = "timed-out"
    """It was ended because the clock ran out."""
    PROCESSES = "processes"
    """It was ended because it started too many processes."""
    MEMORY = "memory"
    """It was ended because its processes needed too much memory together."""


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What a confined program may use."""

    wall_time_s: float = 60.0
    """On the clock; the whole tree is ended then."""
    cpu_time_s: float | None = None
    """Processor time of each process; None: as long as the clock allows."""
    memory_bytes: int | None = 4 << 30
    """Of all its processes together, without what they share with files; looked at 100 times a second."""
    address_space_bytes: int | None = None
    """Of each process; None: no limit, which programs with a sanitizer need."""
    processes: int | None = 128
    """At the same time; looked at 100 times a second."""
    file_bytes: int | None = 1 << 30
    """Of each file that it writes."""


DEFAULT_LIMITS = SandboxLimits()


@dataclass(frozen=True, slots=True)
class Confined:
    """What a confined program did."""

    completed: Completed
    """Output and times; its status is the program's own, negative for a signal."""
    ending: Ending
    """How it ended."""
    confinement: Confinement
    """How far it was confined."""
    reason: str
    """Why it was not fully confined; empty if it was."""


def run_confined(
    argv: Sequence[str | os.PathLike[str]],
    scratch: str | os.PathLike[str],
    *,
    seen_at: str | os.PathLike[str] | None = None,
    cwd: str = ".",
    limits: SandboxLimits = DEFAULT_LIMITS,
    variables: Mapping[str, str] | None = None,
    input: bytes | None = None,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    namespaces: bool = True,
) -> Confined:
    """Runs a program in the sandbox.

    Args:
        argv: Program and arguments.
        scratch: The one directory that it can write to.
        seen_at: Where the program finds that directory; None: where it is. Another path must be a directory; it is
            covered by the scratch directory. Without namespaces the scratch directory stays where it is.
        cwd: Working directory, relative to the scratch directory.
        limits: What it may use.
        variables: Environment variables beside PATH, the language and time zone, HOME (the scratch directory) and
            TMPDIR (memory of its own).
        input: Bytes for its standard input; None: nothing to read.
        output_limit_bytes: As for `process.run`.
        namespaces: False: limits only, as on a kernel without them.

    Raises:
        ToolchainError: The native part is not built.
        ToolError: The program could not be started, or the sandbox itself was ended.
    """
    program = native_file("bin/cc-agent-confine")
    scratch, place = os.path.realpath(scratch), os.path.realpath(seen_at if seen_at is not None else scratch)
    moved = namespaces and place != scratch
    home = place if moved else scratch
    words = tuple(os.fspath(word) for word in argv)
    command: list[str] = [str(program), "--scratch", scratch, "--cwd", os.path.join(home, cwd), *_limit_words(limits)]
    # Without the mount there is another directory at `seen_at`: nothing may run there.
    command += ["--at", place, "--all-or-nothing"] if moved else [] if namespaces else ["--limits-only"]
    report = os.memfd_create("cc-agent-confine")
    try:
        done = run(
            [*command, "--report", str(report), "--", *words],
            cwd=scratch,
            env=_environment(home, namespaces, variables),
            timeout_s=limits.wall_time_s,
            input=input,
            output_limit_bytes=output_limit_bytes,
            pass_fds=[report],
        )
        text = os.pread(report, 1 << 16, 0)
    finally:
        os.close(report)
    if done.timed_out and not text:
        # Ended before it could say how it was confined, which does not depend on the program.
        known = probe() if namespaces else (Confinement.LIMITS_ONLY, "asked for")
        return Confined(replace(done, argv=words), Ending.TIMED_OUT, *known)
    if not text:
        reason = "the sandbox was ended from outside, or by the program where no namespaces protect it"
        raise ToolError(words, done.status, done.stderr, reason=reason)
    said = json.loads(text)
    if said["ended"] == "not-started":
        raise ToolError(words, None, reason=f"could not be started in the sandbox: {said['reason']}")
    if said["ended"] == "not-confined":
        again = run_confined(
            argv,
            scratch,
            cwd=cwd,
            limits=limits,
            variables=variables,
            input=input,
            output_limit_bytes=output_limit_bytes,
            namespaces=False,
        )
        return replace(again, reason=said["reason"])
    ending = Ending(said["ended"])
    status = said["status"] if ending is Ending.EXITED else -(said["status"] or signal.SIGKILL)
    completed = replace(done, argv=words, status=status, timed_out=False)
    return Confined(completed, ending, Confinement(said["confinement"]), said["reason"])


_probed: list[tuple[Confinement, str]] = []


def probe() -> tuple[Confinement, str]:
    """How far programs are confined on this machine, and why not fully; tried once in a process."""
    if not _probed:
        with ScratchDirectory() as scratch:
            tried = run_confined(["true"], scratch, limits=SandboxLimits(wall_time_s=10))
        _probed.append((tried.confinement, tried.reason))
    return _probed[0]


def _limit_words(limits: SandboxLimits) -> list[str]:
    cpu_time_s = None if limits.cpu_time_s is None else max(1, round(limits.cpu_time_s))
    values = {
        "--cpu": cpu_time_s,
        "--address-space": limits.address_space_bytes,
        "--memory": limits.memory_bytes,
        "--processes": limits.processes,
        "--file-size": limits.file_bytes,
    }
    return [word for name, value in values.items() if value is not None for word in (name, str(value))]


def _environment(home: str, namespaces: bool, variables: Mapping[str, str] | None) -> dict[str, str]:
    ours = child_environment()
    kept = {name: ours[name] for name in KEPT_VARIABLES if name in ours}
    return {**kept, "HOME": home, "TMPDIR": "/dev/shm" if namespaces else home, **(variables or {})}
