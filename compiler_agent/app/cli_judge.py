"""`compiler-agent judge`: what one plan is worth on one unit, function by function."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler_agent.app.cli_options import trust_options, workload_options
from compiler_agent.app.cli_words import function_table, is_compiler
from compiler_agent.base.errors import UsageError
from compiler_agent.evaluation.difftest import Workload

if TYPE_CHECKING:
    from compiler_agent.app.verification import Demands


@click.command()
@click.option("--plan", "plan_text", required=True, help="The plan: -passes=PIPELINE -option=value …")
@click.option(
    "--objective",
    type=click.Choice(["size", "speed"]),
    default="size",
    show_default=True,
    help="speed: the plan for all units of a program, timed by --run; COMMAND makes the program.",
)
@workload_options
@trust_options
@click.option("--json", "as_json", is_flag=True)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def judge(
    plan_text: str,
    objective: str,
    tests: tuple[Workload, ...],
    demands: Demands,
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """Judges one plan on the unit of a clang COMMAND: verdict, figures and functions; exit 0 it may be kept, 1 not.

    Each function whose code the plan changes is proved or tested. With --run the program is run, too, with the unit's
    object in its place in a copy of the directory; then functions of which nothing can be said do not matter.

    \b
    compiler-agent judge --plan "-passes=default<O2> -disable-lsr=true" -- clang -c a.c
    compiler-agent judge --plan "-passes=attributor,default<Oz>" --run "make test" -- clang -c trees.c -o trees.o
    compiler-agent judge --objective speed --plan "-passes=default<O3> -polly=true" --run ./a -- clang a.c -o a
    """
    from compiler_agent.app.judge import judge_plan
    from compiler_agent.app.records import describe
    from compiler_agent.llvm.plan import Plan

    if objective == "speed":
        from compiler_agent.app.cli_tune_speed import judge_for_speed

        sys.exit(judge_for_speed(command, tests, Plan.parse(plan_text), demands, as_json=as_json))
    arguments = command[1:] if is_compiler(command[0]) else command
    (record, *others) = describe([*arguments, "-O-agent=size"])
    if others:
        raise UsageError("a plan is judged on one source", hint="name one source in the command")
    judgement = judge_plan(record, Plan.parse(plan_text), demands, arguments, Path.cwd(), tests)
    if as_json:
        click.echo(json.dumps(judgement.to_json(), indent=2))
    else:
        figure = "no figure" if judgement.value is None else str(judgement.value)
        click.echo(f"{judgement.verdict}: {judgement.baseline_value} -> {figure} {judgement.reason}".rstrip())
        if judgement.ledger is not None:
            click.echo(f"trust: {judgement.ledger.trust or 'none'}; functions: {judgement.ledger}")
            for line in function_table(judgement.ledger.functions):
                click.echo(f"  {line}")
    if not judgement.verdict.may_be_kept:
        sys.exit(1)
