"""`compiler-agent observe`: what a planner sees of one translation unit."""

from __future__ import annotations

import json

import click

from compiler_agent.app.cli_words import is_compiler
from compiler_agent.base.errors import UsageError
from compiler_agent.llvm.observe.packet import DEFAULT_TOKEN_BUDGET


@click.command()
@click.option(
    "--budget",
    "token_budget",
    default=DEFAULT_TOKEN_BUDGET,
    show_default=True,
    type=click.IntRange(200),
    help="Tokens.",
)
@click.option("--function", "function", metavar="NAME", help="Only this function, with all that is known of it.")
@click.option("--loop", type=int, metavar="N", help="With --function: only its loop N.")
@click.option("--plan", "plan_text", metavar="PLAN", help="What this plan changes in remarks and estimates.")
@click.option("--passes", metavar="PIPELINE", help="What these passes do to the unoptimized module.")
@click.option("--cpu", default="", metavar="CPU", help="For llvm-mca; default: the CPU that the code is compiled for.")
@click.option("--redact", is_flag=True, help="Rename symbols, blank strings.")
@click.option("--json", "as_json", is_flag=True, help="The facts as data, and the text as one of them.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def observe(
    token_budget: int,
    function: str | None,
    loop: int | None,
    plan_text: str | None,
    passes: str | None,
    cpu: str,
    redact: bool,
    as_json: bool,
    command: tuple[str, ...],
) -> None:
    """Shows what is known of a unit before optimization, and what clang's own pipeline makes of it.

    Functions by weight, loops with trip counts, strides and dependences, llvm-mca's estimates, remarks, what each pass
    did, and the IR of the functions that matter. COMMAND is a source file (compiled with -O2), or a clang command.

    \b
    compiler-agent observe kernel.c
    compiler-agent observe --function gemm --loop 2 kernel.c
    compiler-agent observe --budget 4000 -- clang -O3 -march=native -c kernel.c
    """
    from compiler_agent.app.records import describe
    from compiler_agent.llvm.observe.observer import Observer

    arguments = list(command[1:]) if is_compiler(command[0]) else ["-O2", "-c", *command]
    if loop is not None and function is None:
        raise UsageError("--loop N is the loop of a function", hint="name it: --function NAME --loop N")
    (record, *others) = describe(arguments)
    if others:
        raise UsageError("one unit is observed at a time", hint="name one source in the command")
    observer = Observer(record.argv, record.cwd, redact=redact, cpu=cpu)
    if plan_text is not None:
        text = observer.show_plan(plan_text)
    elif passes is not None:
        text = observer.try_pass_effect(passes)
    elif loop is not None and function is not None:
        text = observer.show_loop(function, loop)
    elif function is not None:
        text = observer.show_function(function)
    else:
        text = observer.packet(token_budget)
    if as_json:
        click.echo(json.dumps({**observer.to_json(), "text": text}, indent=2))
    else:
        click.echo(text, nl=False)
