"""Profile-guided optimization as clang has it: an instrumented program is run, and clang is given what was counted.

A profile is a lever and a baseline alike: both sides of a comparison are compiled with the same one. It goes into a
unit's command (`Profile.flags`), so a plan is applied on top, and the unit's key is that of the IR with its counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.base.config import child_environment
from compiler_agent.base.errors import NotEstablished
from compiler_agent.base.process import check, run
from compiler_agent.llvm.toolchain import Toolchain

GENERATE = "-fprofile-instr-generate"
"""What an instrumented program is compiled *and linked* with."""
_RUN_TIMEOUT_S = 300.0
_MERGE_TIMEOUT_S = 60.0
_TAIL_BYTES = 500


@dataclass(frozen=True, slots=True)
class Profile:
    """What was counted in a run."""

    path: Path
    """The indexed profile, absolute."""
    sha256: str
    """Digest of that file, 64 hexadecimal digits."""

    @property
    def flags(self) -> tuple[str, ...]:
        """What a unit is compiled with to use it. Functions that were never reached are no reason for a warning."""
        return (f"-fprofile-instr-use={self.path}", "-Wno-profile-instr-unprofiled", "-Wno-profile-instr-out-of-date")


def collect(
    program: Path,
    arguments: Sequence[str],
    directory: Path,
    toolchain: Toolchain,
    *,
    cwd: Path | None = None,
) -> Profile:
    """Runs an instrumented program and keeps what it counted.

    Args:
        program: Compiled and linked with `GENERATE`.
        arguments: Its training input.
        directory: An existing directory for the profile, which is named by its digest.
        toolchain: Whose llvm-profdata to use.
        cwd: Where it runs; None: here.

    Raises:
        NotEstablished: It fails, does not end, or counts nothing.
    """
    raw = directory / "run-%p.profraw"  # one file for each process
    done = run(
        [program, *arguments],
        cwd=cwd,
        env=child_environment(LLVM_PROFILE_FILE=str(raw.absolute())),
        timeout_s=_RUN_TIMEOUT_S,
    )
    if done.status != 0:
        how = "did not end" if done.timed_out else f"ended with status {done.status}"
        tail = done.stderr[-_TAIL_BYTES:].decode(errors="replace")
        raise NotEstablished(
            f"the instrumented {program.name} {how}: {tail}", hint="does it run to its end on this input?"
        )
    counted = sorted(directory.glob("run-*.profraw"))
    if not counted:
        raise NotEstablished(
            f"{program.name} wrote no profile", hint=f"is it linked with {GENERATE}, and does it return from main?"
        )
    return merge(counted, directory, toolchain)


def merge(raw: Sequence[Path], directory: Path, toolchain: Toolchain) -> Profile:
    """Makes one profile of what several runs wrote, and removes that.

    Raises:
        ToolError: The files are no profiles, or of another LLVM.
    """
    merged = directory / "merged.profdata"
    check([toolchain.tool("llvm-profdata"), "merge", "-o", merged, *raw], timeout_s=_MERGE_TIMEOUT_S)
    digest = hashlib.sha256(merged.read_bytes()).hexdigest()
    named = merged.rename(directory.absolute() / f"{digest}.profdata")
    for path in raw:
        path.unlink()
    return Profile(named, digest)
