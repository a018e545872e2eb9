"""The options that several commands share: each group is handed to a command as one value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import click

from compiler_agent.base.config import Settings
from compiler_agent.base.errors import UsageError
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE, DEFAULT_TEST_SECONDS, Trust
from compiler_agent.evaluation.difftest import Workload

Command = Callable[..., Any]

_WORKLOAD_OPTIONS = (
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

_TRUST_OPTIONS = (
    click.option(
        "--trust",
        type=click.Choice([trust.value for trust in Trust]),
        default=lambda: Settings.from_environment().trust.value,
        show_default="CC_AGENT_TRUST, or tested",
        help="What a plan needs to be kept. tested: each function whose code it changes was tested or proved, or --run "
        "passes. proved: each was proved. production: its passes and options are, and no test shows it to be wrong. "
        "An experimental pass or option always needs tested.",
    ),
    click.option(
        "--test-seconds",
        type=click.FloatRange(0.0),
        default=lambda: Settings.from_environment().test_seconds,
        show_default=f"CC_AGENT_TEST_SECONDS, or {DEFAULT_TEST_SECONDS:g}",
        help="For the test, or the proof, of one function. 0: none is tested.",
    ),
    click.option(
        "--test-coverage",
        type=click.FloatRange(0.0, 1.0),
        default=lambda: Settings.from_environment().test_coverage,
        show_default=f"CC_AGENT_TEST_COVERAGE, or {DEFAULT_TEST_COVERAGE:g}",
        help="The share of a function's edges that its test must reach, else the function is not established.",
    ),
)


def with_options(options: Sequence[Callable[[Command], Command]]) -> Callable[[Command], Command]:
    """A decorator that adds several options to a command; --help lists them in their order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def workload_options(command: Command) -> Command:
    """Adds --run and what belongs to it to a command, which is given `tests`: a Workload for each --run.

    Raises:
        UsageError: From the command, where a number makes no sense.
    """

    @functools.wraps(command)
    def with_tests(
        *,
        run_commands: tuple[str, ...],
        run_timeout: float,
        tolerance: float,
        ignored: tuple[str, ...],
        no_sandbox: bool,
        **others: Any,
    ) -> None:
        if run_timeout <= 0 or tolerance < 0:
            raise UsageError("--run-timeout must be above 0, and --tolerance not below")
        tests = tuple(
            Workload(words, run_timeout, tolerance, ignored_files=ignored, sandboxed=not no_sandbox)
            for words in run_commands
        )
        command(tests=tests, **others)

    return with_options(_WORKLOAD_OPTIONS)(with_tests)


def trust_options(command: Command) -> Command:
    """Adds --trust, --test-seconds and --test-coverage to a command, which is given `demands`: Demands."""

    @functools.wraps(command)
    def with_demands(*, trust: str, test_seconds: float, test_coverage: float, **others: Any) -> None:
        from compiler_agent.app.verification import Demands

        command(demands=Demands(Trust(trust), test_seconds, test_coverage=test_coverage), **others)

    return with_options(_TRUST_OPTIONS)(with_demands)
