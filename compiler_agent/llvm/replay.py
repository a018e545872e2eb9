"""Compiles one translation unit with one plan, as a build does that replays it from a lock: the object that would ship.

For whoever has to *run* what a plan makes. A search, which only wants figures, uses the engine.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory
from compiler_agent.base.errors import EngineError, ToolError
from compiler_agent.base.files import MemoryFile
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import Completed, run
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.toolchain import Toolchain, discover

DEFAULT_TIMEOUT_S = 60.0
DEFAULT_MEMORY_BYTES = 2 << 30
_OBJECT_LIMIT_BYTES = 1 << 30
_TAIL_BYTES = 1000
_RUNNING = re.compile(r"Running pass ['\"](.*?)['\"] on ")
# clang reports a pass that was killed by a signal as a shell does.
_CPU_LIMIT_STATUSES = (-24, 128 + 24)


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a compilation with a plan gave."""

    outcome: Outcome
    """How it ended; there is an object only for `ok`."""
    content: bytes = b""
    """The object file."""
    message: str = ""
    """What clang said, for every other outcome."""
    running: str = ""
    """The pass that ran when clang was ended, as LLVM's stack dump names it; empty where there is none."""


def compile_plainly(
    argv: Sequence[str], cwd: str | os.PathLike[str], *more: str, timeout_s: float = DEFAULT_TIMEOUT_S
) -> bytes:
    """What clang writes to its standard output without any plan.

    Args:
        argv: The command of a record.
        cwd: Its working directory.
        more: Further arguments, as `-O0`.
        timeout_s: What it may take on the clock.

    Raises:
        ToolError: It does not compile.
    """
    done = run([*argv, *more], cwd=cwd, timeout_s=timeout_s, output_limit_bytes=_OBJECT_LIMIT_BYTES)
    if done.status != 0 or done.timed_out:
        raise ToolError(done.argv, done.status, done.stderr)
    return done.stdout


def key_of(argv: Sequence[str], cwd: str | os.PathLike[str], timeout_s: float = DEFAULT_TIMEOUT_S) -> str:
    """The lock's key of a translation unit.

    Raises:
        EngineError: It does not compile with the plugin.
    """
    with MemoryFile(locks.Lock({}).to_text().encode()) as lock, MemoryFile() as status:
        done = _with_plugin(argv, cwd, lock, status, timeout_s, DEFAULT_MEMORY_BYTES)
        events = [json.loads(line) for line in status.read().splitlines()]
    if not events or done.status != 0:
        words = done.stderr[-_TAIL_BYTES:].decode(errors="replace").strip()
        raise EngineError(
            f"clang cannot tell this translation unit's key: {words or f'status {done.status}'}",
            hint="does the same command compile with plain clang?",
        )
    return str(events[0]["key"])


def replay(
    argv: Sequence[str],
    cwd: str | os.PathLike[str],
    key: str,
    plan: str,
    *,
    timeout_s: float = DEFAULT_TIMEOUT_S,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
) -> Replayed:
    """Compiles with a plan.

    Args:
        argv: The command of a record: a clang command that writes its object to standard output.
        cwd: Its working directory.
        key: The unit's key, from `key_of` or an engine.
        plan: The plan's text.
        timeout_s: Processor time that the plan may take, and four times that on the clock.
        memory_bytes: Memory that it may take beyond what the parsed source takes.
    """
    with MemoryFile(lock_of({key: plan}).to_text().encode()) as lock, MemoryFile() as status:
        done = _with_plugin(argv, cwd, lock, status, timeout_s, memory_bytes)
        events = [json.loads(line) for line in status.read().splitlines()]
    words = done.stderr[:_TAIL_BYTES].decode(errors="replace").strip()  # a crash says why first, then its stack
    running = ["", *_RUNNING.findall(done.stderr.decode(errors="replace"))][-1]
    if done.timed_out or done.status in _CPU_LIMIT_STATUSES:
        return Replayed(Outcome.TIMEOUT, message=f"not finished after {timeout_s:g} s", running=running)
    # Whatever follows a refused plan is clang's own object: it must not pass for the plan's.
    if faults := [event["message"] for event in events if event["event"] == "error"]:
        return Replayed(Outcome.REJECTED, message=faults[0])
    if not any(event["event"] == "hit" for event in events):
        return Replayed(Outcome.ERROR, message=f"the plan was not replayed: {words}")
    if done.status != 0:
        outcome = Outcome.INVALID if b"Broken module found" in done.stderr else Outcome.CRASH
        outcome = Outcome.MEMORY if b"out of memory" in done.stderr.lower() else outcome
        return Replayed(outcome, message=words or f"status {done.status}", running=running)
    return Replayed(Outcome.OK, done.stdout)


def lock_of(plans: Mapping[str, str]) -> locks.Lock:
    """A lock that a compilation with these plans, by key, replays; nothing is claimed of them."""
    toolchain = _toolchain()
    nothing = Evidence(0, 0, 0, "replay", 0)
    return locks.Lock(
        {key: LockEntry(plan, "source", toolchain.version, toolchain.target, nothing) for key, plan in plans.items()}
    )


@functools.cache
def _toolchain() -> Toolchain:
    return discover()


def _with_plugin(
    argv: Sequence[str],
    cwd: str | os.PathLike[str],
    lock: MemoryFile,
    status: MemoryFile,
    timeout_s: float,
    memory_bytes: int,
) -> Completed:
    plugin = native_directory() / "lib" / "cc-agent.so"
    if not plugin.is_file():
        raise EngineError(f"the plugin {plugin} is not built", hint="run `make setup`")
    # A descriptor of our own: the plugin writes to a number, not to a path.
    descriptor = os.open(status.path, os.O_WRONLY | os.O_APPEND)
    try:
        return run(
            [argv[0], f"-fpass-plugin={plugin}", "-fno-crash-diagnostics", *argv[1:]],
            cwd=cwd,
            env=child_environment(
                CC_AGENT_PLUGIN_LOCK=str(lock.path),
                CC_AGENT_PLUGIN_STATUS=str(descriptor),
                CC_AGENT_PLUGIN_SERVE=None,
                CC_AGENT_PLUGIN_LIMITS=f"{max(1, round(timeout_s))} {memory_bytes >> 20}",
            ),
            timeout_s=4 * timeout_s + 10,
            output_limit_bytes=_OBJECT_LIMIT_BYTES,
            pass_fds=[descriptor],
        )
    finally:
        os.close(descriptor)
