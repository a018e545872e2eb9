"""What `compiler-agent tune --objective speed` does with its arguments, and what it prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from compiler_agent.app.cli_words import SOURCE_SUFFIXES, check_files, is_compiler
from compiler_agent.app.signals import end_in_order
from compiler_agent.base.errors import UsageError
from compiler_agent.base.lock import check_writable
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.search import speed

if TYPE_CHECKING:
    from compiler_agent.app.speed_search import Timed
    from compiler_agent.app.tune_speed import SpeedOptions, SpeedResult
    from compiler_agent.app.verification import Demands
    from compiler_agent.llvm.plan import Plan

_EXAMPLE = "compiler-agent tune --objective speed --run './program input' -- clang program.c -o program"


def tune_for_speed(
    arguments: Sequence[str],
    workloads: Sequence[Workload],
    lock: Path,
    options: SpeedOptions,
    *,
    as_json: bool,
) -> None:
    """Tunes one program, and keeps the plans in the lock.

    Args:
        arguments: Source files, a clang command, or a build command.
        workloads: What --run gave.
        lock: Where plans go.
        options: How to search.
        as_json: Whether JSON is printed.

    Raises:
        UsageError: There is no program, or no run of it.
    """
    from compiler_agent.app.progress import Progress
    from compiler_agent.app.speed_keep import keep
    from compiler_agent.app.speed_programs import program_of
    from compiler_agent.app.tune_speed import tune_program

    end_in_order()
    speed.check_name(options.strategy)
    command = _command(arguments, workloads)
    check_writable(lock)
    program = program_of(command, Path.cwd(), workloads, options.seed)
    with Progress(options.budget) as progress:
        progress.expect(1)
        if len({workload.command for workload in workloads}) == 1:
            progress.say("one --run: what is more than twice as fast is not kept unless another input confirms it")
        shown = progress.unit(program.name)

        def on_timed(timed: Timed) -> None:
            shown.tried(timed.speedup if timed.comparison.outcome.permits else None)

        result = tune_program(program, options, on_timed=on_timed, on_function=shown.verified, say=progress.say)
        shown.done()
    entries = keep(program, result, options, lock, command)
    if as_json:
        click.echo(json.dumps({"lock": str(lock), **to_json(result), "plans": entries}, indent=2))
    else:
        for line in report(result):
            click.echo(line)
        there = f"{lock} has plans that are as fast" if result.best else "no plan is kept"
        if not result.best and not options.allow_experimental:
            there += "; --allow-experimental would also try Polly and unroll-and-jam"
        click.echo(f"{len(entries)} plans in {lock}" if entries else there)
    for line in why_not(result):
        click.echo(line, err=True)
    if result.found.interrupted:
        click.echo("interrupted: what was found so far is kept", err=True)
        sys.exit(130)


def judge_for_speed(
    arguments: Sequence[str], workloads: Sequence[Workload], plan: Plan, demands: Demands, *, as_json: bool
) -> int:
    """Judges one plan for a program, as a tune would that proposes nothing else; nothing is kept.

    Args:
        arguments: As for `tune_for_speed`.
        workloads: What --run gave.
        plan: The plan.
        demands: What it needs to be kept.
        as_json: Whether JSON is printed.

    Returns:
        The exit status: 0 it may be kept, 1 not.
    """
    from compiler_agent.app.speed_programs import program_of
    from compiler_agent.app.tune_speed import SpeedOptions, tune_program
    from compiler_agent.base.config import Budget
    from compiler_agent.search.strategies import Coreset

    end_in_order()
    options = SpeedOptions(Budget(n_evaluations=1), demands=demands, allow_experimental=True)
    program = program_of(_command(arguments, workloads), Path.cwd(), workloads, options.seed)
    result = tune_program(program, options, strategy=Coreset([plan]), say=lambda text: click.echo(text, err=True))
    if as_json:
        click.echo(json.dumps(to_json(result), indent=2))
    else:
        for line in report(result):
            click.echo(line)
    for reason in why_not(result):
        click.echo(reason, err=True)
    return 0 if result.best else 1


def why_not(result: SpeedResult) -> list[str]:
    """What speaks against candidates that are faster, or were not timed."""
    from compiler_agent.evaluation.pairing import Outcome

    lines = [f"not kept: {one.timed.candidate.plan}\n  {one.reason}" for one in result.refused]
    if any(one.timed.comparison.outcome is Outcome.QUARANTINED for one in result.refused):
        lines.append("  hint: give another --run, with an input of another size, to verify it on")
    if not result.found.timed:
        lines += [f"not timed: {plan}\n  {verdict}: {reason}" for plan, verdict, reason in result.found.rejected[:3]]
    return lines


def keys_of(records: Path | None) -> frozenset[str] | None:
    """The keys of the units of a file of records that were compiled for speed; None: no file was given.

    Raises:
        UsageError: There are none.
    """
    from compiler_agent.app.records import read_records

    if records is None:
        return None
    keys = frozenset(one.key for one in read_records(records) if one.objective == "speed" and one.key)
    if not keys:
        raise UsageError(f"{records} has no unit that was compiled with -O-agent=speed", hint="build the program first")
    return keys


def _command(arguments: Sequence[str], workloads: Sequence[Workload]) -> tuple[str, ...]:
    """The command that makes the program; for source files alone, one that makes a program of the first one's name."""
    if not arguments:
        raise UsageError("there is no program", hint=_EXAMPLE)
    if not workloads:
        raise UsageError(
            "--objective speed needs --run: only a program that runs on an input can be made faster", hint=_EXAMPLE
        )
    if is_compiler(arguments[0]) or Path(arguments[0]).suffix not in SOURCE_SUFFIXES:
        return tuple(arguments)
    check_files(arguments)
    return ("clang", *arguments, "-o", Path(arguments[0]).stem, "-lm")


def to_json(result: SpeedResult) -> dict[str, Any]:
    """A result, for `--json`."""
    measured = result.confirmed.speedup if result.confirmed else None
    return {
        "program": result.program,
        "baseline": result.stock.level,
        "stock": result.stock.speedups,
        "verdict": "established" if result.best else "not-better",
        "speedup": measured.median if measured else None,
        "interval": [measured.low, measured.high] if measured else None,
        "plan": str(result.best.candidate.plan) if result.best else None,
        "n_candidates": result.found.n_asked,
        "n_timed": len(result.found.timed),
        "n_wrong": result.found.n_wrong,
        "text_bytes": [result.text_bytes, result.best.candidate.text_bytes if result.best else result.text_bytes],
        "front": result.front,
        "cautions": [str(caution) for caution in result.stock.session.cautions],
        "refused": [{"plan": str(one.timed.candidate.plan), "reason": one.reason} for one in result.refused],
    }


def report(result: SpeedResult) -> list[str]:
    """A result in words."""
    from compiler_agent.app.speed_words import front

    lines = [f"stock: {', '.join(f'{level} {ratio:.3f}' for level, ratio in result.stock.speedups.items())}"]
    tried = f"{result.found.n_asked} plans, {len(result.found.timed)} timed, {result.found.n_wrong} wrong"
    if result.best is None or result.confirmed is None:
        return [*lines, f"{result.program}: no plan is faster than clang {result.stock.level} ({tried})"]
    lines.append(
        f"{result.program}: {result.confirmed.speedup} times as fast as clang {result.stock.level}, "
        f"measured again in {len(result.confirmed.pairs)} pairs ({tried})"
    )
    lines.append(f"  {result.best.candidate.plan}")
    lines.append(f"  executable bytes: {result.text_bytes} -> {result.best.candidate.text_bytes}")
    lines.append(f"  size and speed of what was timed: {front(result.front)}")
    return lines
