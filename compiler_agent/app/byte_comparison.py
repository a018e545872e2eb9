"""One translation unit compiled by plain clang, by cc-agent without a plan, and by cc-agent with the stock plan.

At -Oz and -O3, the levels that `-O-agent=size` and `-O-agent=speed` stand for, cc-agent is the launcher itself, with a
lock in mode replay. At the other levels the launcher only becomes clang, and there clang loads the plugin as the
launcher would have it do, so that the pipelines of all levels go through the plugin.
"""

from __future__ import annotations

import enum
import functools
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base import lock as locks
from compiler_agent.base.config import child_environment, native_directory
from compiler_agent.base.errors import CompilerAgentError
from compiler_agent.base.lock_format import Evidence, LockEntry
from compiler_agent.base.process import start, stop
from compiler_agent.llvm.toolchain import discover

STOCK_PIPELINES = {"-O0": "O0", "-O1": "O1", "-O2": "O2", "-O3": "O3", "-Os": "O2", "-Oz": "O2"}
"""What clang 22 runs at each of its levels; size is in the functions' attributes (see docs/architecture.md)."""
LAUNCHER_OPTIONS = {"-Oz": "-O-agent=size", "-O3": "-O-agent=speed"}
"""The levels at which the launcher replays, and what asks it to."""
_TIMEOUT_S = 600.0
_EVIDENCE = Evidence(0, 0, 0, "stock", 0)


class Kind(enum.Enum):
    """What a comparison gave; only EQUAL is what was promised."""

    EQUAL = "equal"
    """Both objects are clang's own, byte for byte."""
    WITHOUT_PLAN = "differs without a plan"
    """The object with an empty lock is another one."""
    STOCK_PLAN = "differs with the stock plan"
    """The stock plan was replayed and made another object."""
    NOT_REPLAYED = "stock plan not replayed"
    """The lock has the unit's plan, and it was not used."""
    NOT_COMPARED = "not compared"
    """A compilation failed, so nothing is shown."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One translation unit at one level with one set of flags."""

    unit: str
    """What was compiled."""
    level: str
    """-O0 to -Oz."""
    flags: tuple[str, ...]
    """The flags that were added."""
    kind: Kind
    """What came out."""
    problem: str = ""
    """Why they could not be compared, or why the stock plan was not replayed."""

    @property
    def identical(self) -> bool:
        """Both are clang's own object."""
        return self.kind is Kind.EQUAL


def compare(
    name: str, argv: Sequence[str], cwd: Path, level: str, flags: tuple[str, ...], directory: Path
) -> Comparison:
    """Compiles one unit three ways.

    Args:
        name: What the result calls the unit.
        argv: The compiler and its arguments, without `-c`, `-o` and a level.
        cwd: Where to run it.
        level: -O0 to -Oz.
        flags: More flags.
        directory: For the objects, the log and the lock; it is overwritten.
    """
    plain = [argv[0], "-Qunused-arguments", level, *flags, *argv[1:], "-c"]
    compile_ours = _compile_by_launcher if level in LAUNCHER_OPTIONS else _compile_with_plugin
    lock, objects = directory / "cc-agent.lock", [directory / f"{kind}.o" for kind in ("plain", "empty", "stock")]
    for path in (lock, *objects):  # an object of the combination before must not stand for one that was not made
        path.unlink(missing_ok=True)
    try:
        _run([*plain, "-o", str(objects[0])], cwd)
        locks.update(lock, {})
        miss = compile_ours(plain, level, cwd, objects[1], lock)
        entry = LockEntry(f"-passes=default<{STOCK_PIPELINES[level]}>", name, _llvm_version(), "", _EVIDENCE)
        locks.update(lock, {miss["key"]: entry})
        hit = compile_ours(plain, level, cwd, objects[2], lock)
        clangs, empty, stock = (path.read_bytes() for path in objects)
    except (CompilerAgentError, OSError, ValueError, KeyError) as error:
        return Comparison(name, level, flags, Kind.NOT_COMPARED, f"{type(error).__name__}: {error}")
    if miss["event"] != "miss":
        return Comparison(name, level, flags, Kind.NOT_COMPARED, f"the empty lock gave {miss['event']}: {miss}")
    if empty != clangs:
        return Comparison(name, level, flags, Kind.WITHOUT_PLAN)
    if hit["event"] != "hit":
        return Comparison(
            name, level, flags, Kind.NOT_REPLAYED, f"the plan was not replayed: {hit['event']} {hit.get('message', '')}"
        )
    return Comparison(name, level, flags, Kind.EQUAL if stock == clangs else Kind.STOCK_PLAN)


@functools.cache
def _llvm_version() -> str:
    """LLVM's version; finding it starts three programs, which is as much as compiling a small unit costs."""
    return discover().version


def _compile_with_plugin(plain: Sequence[str], level: str, cwd: Path, output: Path, lock: Path) -> dict[str, str]:
    """Clang with the plugin; returns what the plugin reports of the one module."""
    status = os.memfd_create("status")
    try:
        command = [*plain, f"-fpass-plugin={native_directory() / 'lib' / 'cc-agent.so'}", "-o", str(output)]
        _run(command, cwd, status, CC_AGENT_PLUGIN_LOCK=str(lock), CC_AGENT_PLUGIN_STATUS=str(status))
        (event,) = (json.loads(line) for line in _content(status).splitlines())
    finally:
        os.close(status)
    return dict(event)


def _compile_by_launcher(plain: Sequence[str], level: str, cwd: Path, output: Path, lock: Path) -> dict[str, str]:
    """The launcher in mode replay; returns what it logs of the one module."""
    name = "cc-agent++" if Path(plain[0]).name.startswith("clang++") else "cc-agent"
    words = [LAUNCHER_OPTIONS[level] if word == level else word for word in plain[1:]]
    log = output.with_suffix(".log")
    log.unlink(missing_ok=True)
    command = [str(native_directory() / "bin" / name), *words, "-o", str(output)]
    _run(command, cwd, CC_AGENT_LOCK=str(lock), CC_AGENT_LOG=str(log), CC_AGENT_MODE="replay", CC_AGENT_DISABLE=None)
    (line,) = log.read_text(encoding="utf-8").splitlines()
    row = json.loads(line)
    if len(row["events"]) != 1 or row["decision"] not in ("miss", "replayed"):
        return {"event": row["decision"], "message": row["reason"] or "", "key": ""}
    return dict(row["events"][0])


def _run(command: Sequence[str], cwd: Path, status: int | None = None, **variables: str | None) -> None:
    """Runs a compiler, which must succeed, without what the environment says of cc-agent's plugin."""
    words = os.memfd_create("words")
    own = dict.fromkeys(("CC_AGENT_PLUGIN_LOCK", "CC_AGENT_PLUGIN_STATUS", "CC_AGENT_PLUGIN_SERVE"))
    try:
        child = start(
            command,
            cwd=cwd,
            env=child_environment(**{**own, **variables}),
            pass_fds=[] if status is None else [status],
            stdout=subprocess.DEVNULL,
            stderr=words,
        )
        try:
            code = child.wait(_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise CompilerAgentError(f"it did not end within {_TIMEOUT_S:.0f} s: {' '.join(command)}") from None
        finally:
            stop(child)
        if code != 0:
            tail = _content(words)[-500:].decode(errors="replace").strip()
            raise CompilerAgentError(f"it failed with status {code}: {' '.join(command)}: {tail}")
    finally:
        os.close(words)


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
