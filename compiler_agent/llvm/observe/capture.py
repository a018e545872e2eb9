"""What clang gives of a translation unit: its IR before optimization, its assembly, its optimization remarks."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.errors import EngineError, ToolError
from compiler_agent.base.process import run
from compiler_agent.base.scratch import ScratchDirectory
from compiler_agent.llvm import replay
from compiler_agent.llvm.engine import Outcome
from compiler_agent.llvm.observe.remarks import Remark, parse_remarks

TIMEOUT_S = 120.0
MEMORY_BYTES = 4 << 30

# Lines without the rest of debug information: the fingerprint, and so the code, stay as they are.
_LINES = "-gline-tables-only"
_BEFORE_OPTIMIZATION = ("-emit-llvm", "-Xclang", "-disable-llvm-passes", "-fno-discard-value-names", _LINES)
_ASSEMBLY = ("-S", "-masm=att", "-fverbose-asm", _LINES)
_REMARKS_FROM = (
    "inline|loop-vectorize|slp-vectorizer|loop-unroll|loop-unroll-and-jam|loop-distribute|loop-interchange|loop-idiom|"
    "loop-delete|licm|gvn|tailcallelim|regalloc|prologepilog|transform-warning|simple-loop-unswitch"
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """One compilation, looked at from outside."""

    assembly: str
    """With the comments in which LLVM names loops, and the lines of the source."""
    remarks: tuple[Remark, ...]
    """What the optimizer said."""


def unoptimized(argv: Sequence[str], cwd: str | os.PathLike[str]) -> bytes:
    """The bitcode that clang hands to its optimizer, with names and lines.

    Args:
        argv: A clang command that writes its object to standard output (`-c -o - SOURCE`).
        cwd: Its working directory.

    Raises:
        ToolError: It does not compile.
    """
    return _clang([*argv, *_BEFORE_OPTIMIZATION], cwd)


def compiled(argv: Sequence[str], cwd: str | os.PathLike[str]) -> Compiled:
    """What clang itself makes of the unit; arguments as for `unoptimized`."""
    with ScratchDirectory(prefix="cc-agent-observe-") as directory:
        remarks = Path(directory) / "remarks.yaml"
        assembly = _clang([*argv, *_watching(remarks)], cwd)
        return _compiled(assembly, remarks)


def compiled_with(argv: Sequence[str], cwd: str | os.PathLike[str], plan: str) -> Compiled:
    """What clang makes of the unit with a plan.

    Raises:
        EngineError: The plan gives no object; the message says why.
    """
    with ScratchDirectory(prefix="cc-agent-observe-") as directory:
        remarks = Path(directory) / "remarks.yaml"
        key = replay.key_of(argv, cwd)
        done = replay.replay([*argv, *_watching(remarks)], cwd, key, plan)
        if done.outcome is not Outcome.OK:
            raise EngineError(f"the plan gives no code to observe: {done.outcome}: {done.message}")
        return _compiled(done.content, remarks)


def _watching(remarks: Path) -> list[str]:
    return [
        *_ASSEMBLY,
        "-fsave-optimization-record=yaml",
        f"-foptimization-record-file={remarks}",
        f"-foptimization-record-passes={_REMARKS_FROM}",
    ]


def _compiled(assembly: bytes, remarks: Path) -> Compiled:
    text = remarks.read_text(errors="replace") if remarks.is_file() else ""
    return Compiled(assembly.decode("utf-8", "replace"), tuple(parse_remarks(text)))


def _clang(command: Sequence[str], cwd: str | os.PathLike[str]) -> bytes:
    done = run(command, cwd=cwd, timeout_s=TIMEOUT_S, memory_bytes=MEMORY_BYTES)
    if done.timed_out:
        raise ToolError(done.argv, done.status, done.stderr, reason=f"not finished after {TIMEOUT_S:g} s")
    if done.status != 0:
        raise ToolError(done.argv, done.status, done.stderr, hint="does the same command compile with plain clang?")
    return done.stdout
