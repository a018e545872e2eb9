"""`compiler-agent blame`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import click

from compiler_agent.app.cli_options import workload_options
from compiler_agent.app.cli_words import is_compiler
from compiler_agent.base.trust import DEFAULT_TEST_SECONDS
from compiler_agent.evaluation.difftest import Workload

_SLACK_S = 1.0
_FUNCTION_REDUCE_S = 60.0
"""A question to the function tester takes seconds, so more time than this gains little."""


@click.command()
@click.option("--plan", "plan_text", required=True, help="The plan that is wrong: -passes=PIPELINE -option=value …")
@workload_options
@click.option(
    "--test-seconds",
    type=click.FloatRange(0.0, min_open=True),
    default=DEFAULT_TEST_SECONDS,
    show_default=True,
    help="Without --run: for each test of a function.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), default="blame", show_default=True, help="Where the report goes."
)
@click.option(
    "--reduce",
    "reduce_s",
    type=click.FloatRange(0.0),
    show_default="300, or 60 without --run",
    help="Seconds for llvm-reduce; 0: not at all.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def blame(
    plan_text: str,
    tests: tuple[Workload, ...],
    test_seconds: float,
    output: Path,
    reduce_s: float | None,
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """Finds the pass in a plan that makes a program wrong, and writes a report that could be filed upstream.

    The clang COMMAND makes one object (-c) or a whole program of one source; its result is put in its place in a copy
    of the directory, and each --run shows there what the program does. Without --run the functions that the plan
    changes are tested, and the first that is refuted is what the passes are judged by. Exit 0: a pass is blamed; 1: the
    plan is not refuted.

    \b
    compiler-agent blame --plan "-passes=attributor,default<Oz>" -- clang -c trees.c
    compiler-agent blame --plan "-passes=attributor,default<Oz>" --run "make test" -- clang -c trees.c -o trees.o
    """
    from compiler_agent.app.blame import DEFAULT_REDUCE_S, find_blame
    from compiler_agent.app.blame_functions import FunctionTests
    from compiler_agent.app.blame_ir import IrUnit
    from compiler_agent.app.blame_program import Judge, Program, Unit
    from compiler_agent.app.blame_report import to_json, write_report
    from compiler_agent.llvm import catalog
    from compiler_agent.llvm.plan import Plan
    from compiler_agent.llvm.toolchain import discover

    # A program that no longer ends is met often here; it need not be waited for as long as where it is judged once.
    tests = tuple(dataclasses.replace(test, slack_s=_SLACK_S) for test in tests)
    arguments = command[1:] if is_compiler(command[0]) else command
    toolchain = discover()
    known = catalog.load()
    plan, unit = Plan.parse(plan_text), Unit.of_command(arguments, Path.cwd())

    def on_step(words: str) -> None:
        click.echo(words, err=True)

    program: Judge
    if tests:
        program = Program.with_reference(unit, tests)
    else:
        program = FunctionTests.refuting(unit, plan, test_seconds, on_step=on_step)
    if reduce_s is None:
        reduce_s = DEFAULT_REDUCE_S if tests else _FUNCTION_REDUCE_S
    found = find_blame(plan, program, toolchain, known, reduce_s=reduce_s, on_step=on_step)
    report = write_report(found, IrUnit(program, toolchain, known), output)
    if as_json:
        click.echo(json.dumps(to_json(found, toolchain), indent=2))
    else:
        where = f" in {', '.join(found.functions)}" if found.functions else ""
        click.echo(f"{', '.join(found.culprits)}{where}: {found.differences[0]}\nreport: {report}")
