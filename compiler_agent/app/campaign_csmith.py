"""Csmith's programs: valid C without undefined behaviour, which print a checksum of their globals."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from compiler_agent.app.blame_program import Program, Unit
from compiler_agent.app.campaign_plans import LEVELS
from compiler_agent.base.process import check
from compiler_agent.base.sandbox import Ending, SandboxLimits, run_confined
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.generated import CSMITH_FLAGS, write_csmith
from compiler_agent.llvm.toolchain import Toolchain

_REFERENCE_TIMEOUT_S = 5.0
_SLACK_S = 3.0
_FLAGS = (*CSMITH_FLAGS, "-fuse-ld=lld")


@dataclass(frozen=True)
class CsmithCase:
    """One program of Csmith's."""

    seed: int
    """Csmith's seed: the same one gives the same program."""
    toolchain: Toolchain
    """LLVM."""

    @property
    def name(self) -> str:
        """As in `csmith-17`."""
        return f"csmith-{self.seed}"

    @property
    def level(self) -> str:
        """Drawn by the seed."""
        return random.Random(self.seed).choice(LEVELS)

    def make(self, directory: Path) -> Program:
        """Generates and compiles it, and runs it at -O0; see `campaign.Case`."""
        write_csmith(self.seed, directory)
        unit = Unit.of_command([self.level, *_FLAGS, "program.c", "-o", "program"], directory)
        # Twice is enough: nothing in such a program changes from run to run.
        workload = Workload("./program", timeout_s=_REFERENCE_TIMEOUT_S, slack_s=_SLACK_S, n_reference_runs=2)
        return Program.with_reference(unit, [workload])

    def check_defined(self, directory: Path, program: Program) -> tuple[bool, str]:
        """Runs it under ASan and UBSan; see `campaign.Case`."""
        sanitized = "-fsanitize=address,undefined"
        command = [str(self.toolchain.clang), "-O1", "-g", *_FLAGS, sanitized, "-fno-sanitize-recover=all"]
        check([*command, "program.c", "-o", "sanitized"], cwd=directory, timeout_s=120)
        options = {"ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=1"}
        done = run_confined(["./sanitized"], directory, limits=SandboxLimits(wall_time_s=120), variables=options)
        (directory / "sanitized").unlink()
        if done.ending is Ending.TIMED_OUT:
            return False, "its sanitizers did not come to an end"
        if done.completed.status != 0:
            words = done.completed.stderr.decode(errors="replace").strip().splitlines()
            return False, f"its sanitizers object: {words[0] if words else done.completed.status}"
        if done.completed.stdout != program.references[0].behaviour.stdout:
            return False, "with its sanitizers it prints something else"
        return True, "ASan and UBSan say nothing, and it prints the same with them"
