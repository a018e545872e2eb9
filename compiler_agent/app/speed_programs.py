"""The program that a user's command makes, whichever kind of command it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from compiler_agent.app.cli_words import is_compiler
from compiler_agent.app.program import Program
from compiler_agent.app.program_build import BuiltProgram
from compiler_agent.app.program_linked import of_command
from compiler_agent.evaluation.difftest import Workload


def program_of(command: Sequence[str], cwd: Path, workloads: Sequence[Workload], seed: int | str) -> Program:
    """The program of a clang command, which is linked in many layouts drawn by a seed, or of a build command.

    Raises:
        UsageError: No program comes of the command.
        CompilerAgentError: It does not build.
    """
    if is_compiler(command[0]):
        return of_command(command[1:], cwd, workloads, seed)
    return BuiltProgram(command, cwd, workloads)
