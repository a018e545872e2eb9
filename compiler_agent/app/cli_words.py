"""Words that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from compiler_agent.base.config import Settings
from compiler_agent.base.trust import DEFAULT_TEST_COVERAGE, FunctionRecord, Strength, Trust

BUDGET_HELP = "Evaluations per translation unit (200), or a time (30s, 2m)."


def is_compiler(word: str) -> bool:
    """Whether the first word of a command looks like a C or C++ compiler's name."""
    return Path(word).name.startswith(("clang", "cc-agent", "gcc", "g++", "cc", "c++")) and Path(word).name != "ccmake"


def trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --trust, --test-seconds and --test-coverage to a command."""
    command = click.option(
        "--test-coverage",
        type=click.FloatRange(0.0, 1.0),
        default=lambda: Settings.from_environment().test_coverage,
        show_default=f"CC_AGENT_TEST_COVERAGE, or {DEFAULT_TEST_COVERAGE:g}",
        help="The share of a function's edges that its test must reach, else the function is not established.",
    )(command)
    command = click.option(
        "--test-seconds",
        type=click.FloatRange(0.0),
        default=lambda: Settings.from_environment().test_seconds,
        show_default="CC_AGENT_TEST_SECONDS, or 2",
        help="For the test, or the proof, of one function. 0: none is tested.",
    )(command)
    return click.option(
        "--trust",
        type=click.Choice([trust.value for trust in Trust]),
        default=lambda: Settings.from_environment().trust.value,
        show_default="CC_AGENT_TRUST, or tested",
        help="What a plan needs to be kept. tested: each function whose code it changes was tested or proved, or --run "
        "passes. proved: each was proved. production: its passes and options are, and no test shows it to be wrong. "
        "An experimental pass or option always needs tested.",
    )(command)


def function_table(functions: Mapping[str, FunctionRecord]) -> list[str]:
    """What was shown for each function, one line each; unchanged ones are counted only."""
    rows = []
    for symbol, record in functions.items():
        if record.strength is Strength.UNCHANGED:
            continue
        figures = ""
        if record.n_inputs:
            wanted = f" ({record.edges_wanted} wanted)" if record.edges_wanted else ""
            edges = f"{record.edges_covered} of {record.edges} edges{wanted}"
            figures = f", {record.n_inputs} inputs, {edges}, seed {record.seed}"
        reason = f": {record.reason}" if record.reason else ""
        rows.append(f"{symbol}: {record.strength} ({record.checker}{figures}, {record.seconds:.1f} s){reason}")
    n_unchanged = len(functions) - len(rows)
    return [*rows, f"{n_unchanged} more are unchanged"] if n_unchanged else rows
