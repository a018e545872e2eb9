"""The options of the commands that run a program to see whether it behaves the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation.difftest import Workload

_OPTIONS = (
    click.option(
        "--run",
        "run_commands",
        multiple=True,
        metavar="CMD",
        help="A shell command that shows what the program does; may be given again. Its exit status, output and the "
        "files that it writes must be those of the -O0 build.",
    ),
    click.option(
        "--run-timeout", default=600.0, show_default=True, help="Seconds that one run of the reference may take."
    ),
    click.option(
        "--tolerance",
        default=0.0,
        show_default=True,
        help="For floating-point numbers in text: |a-b| <= tolerance * max(1, |a|, |b|). 0: exactly the same.",
    ),
    click.option("--ignore", "ignored", multiple=True, metavar="PATTERN", help="Files that are not compared."),
    click.option(
        "--no-sandbox",
        is_flag=True,
        help="Run in the directory itself, with your environment and the network. The evidence says so.",
    ),
)


def workload_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --run and what belongs to it to a command; their values go through `workloads`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def workloads(
    run_commands: tuple[str, ...], run_timeout: float, tolerance: float, ignored: tuple[str, ...], no_sandbox: bool
) -> list[Workload]:
    """What the options of `workload_options` ask for; empty without --run.

    Raises:
        UsageError: A number makes no sense.
    """
    if run_timeout <= 0 or tolerance < 0:
        raise UsageError("--run-timeout must be above 0, and --tolerance not below")
    return [
        Workload(command, run_timeout, tolerance, ignored_files=ignored, sandboxed=not no_sandbox)
        for command in run_commands
    ]
