"""`compiler-agent explain`: what is behind the plans of a lock, and what of it a person can write into the source."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler_agent.app.cli_llm import cost
from compiler_agent.app.cli_words import function_table, is_compiler
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.lock_format import RUN_TIME
from compiler_agent.base.trust import counted
from compiler_agent.evaluation.evaluate import Objective

if TYPE_CHECKING:
    from compiler_agent.app.records import Record
    from compiler_agent.base.lock_format import LockEntry


class CommandBehindDashes(click.Command):
    """A command that takes what follows `--` as another command, and not as arguments of its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keeps the other command in the context's `obj`."""
        position = args.index("--") if "--" in args else len(args)
        ctx.obj = tuple(args[position + 1 :])
        return super().parse_args(ctx, args[:position])


@click.command(cls=CommandBehindDashes)
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.option("--as-patch", is_flag=True, help="Print what the plans decide as a patch of the sources.")
@click.pass_obj
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("unit", required=False)
def explain(command: tuple[str, ...], as_json: bool, as_patch: bool, lock: Path, unit: str | None) -> None:
    """The minimal edit of the stock pipeline behind each plan of LOCK, or of UNIT alone, and what each part pays.

    Of a plan for speed: its figure, what it says, and the size and speed of all that was timed for its program.

    With --as-patch: what the plan decides about single calls, functions and loops, as a unified diff with real pragmas
    and attributes. Each edit was compiled, and gives the IR that the decision gives. What is not in the diff stands
    before it; exit 1 if a decision is among that.

    The compile commands are those of the last tune on this machine, or those of a clang or build command after --.

    \b
    compiler-agent explain cc-agent.lock deflate.c
    compiler-agent explain --as-patch cc-agent.lock deflate.c -- clang -c deflate.c
    compiler-agent explain --as-patch cc-agent.lock -- make -B CC=cc-agent CFLAGS=-O-agent
    """
    from compiler_agent.base.lock import Lock

    entries = [
        (key, entry)
        for key, entry in Lock.load(lock).plans.items()
        if unit is None or unit in (key, entry.source, Path(entry.source).name)
    ]
    if not entries:
        raise UsageError(f"{lock} has no plan for {unit or 'anything'}", hint="name a source or key as the lock has it")
    records = _records(command) if command else {}
    if command:
        entries = [(key, entry) for key, entry in entries if key in records]
    for_speed = {key: entry for key, entry in entries if entry.objective == RUN_TIME}
    if for_speed and not as_patch:
        _print_for_speed(for_speed, as_json)
        entries = [(key, entry) for key, entry in entries if key not in for_speed]
        if not entries:
            return
    units = [(key, entry, records.get(key) or _recalled(key, entry)) for key, entry in entries]
    if not units:
        raise UsageError(f"{lock} has no plan for what that command compiles", hint="was it tuned with the same flags?")
    if as_patch:
        _print_patches(units, as_json)
    else:
        _print_explanations(units, as_json)


def _print_for_speed(entries: Mapping[str, LockEntry], as_json: bool) -> None:
    from compiler_agent.app.speed_words import explained

    if as_json:
        rows = [
            {"source": entry.source, "key": key, "plan": entry.plan, "evidence": dataclasses.asdict(entry.evidence)}
            for key, entry in entries.items()
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for entry in entries.values():
        for line in explained(entry):
            click.echo(line)


def _print_patches(units: Sequence[tuple[str, LockEntry, Record]], as_json: bool) -> None:
    from compiler_agent.app.source_patch import header, source_patch
    from compiler_agent.llvm.plan import Plan

    rows = []
    for key, entry, record in units:
        plan = Plan.parse(entry.plan)
        patch = source_patch(plan, record, entry.source)
        rows.append(
            {
                "source": entry.source,
                "key": key,
                "plan": entry.plan,
                "diff": patch.diff,
                "taken": [str(decision) for decision in patch.taken],
                "left": {str(decision): reason for decision, reason in patch.left},
                "moves_what_counts": patch.moves_what_counts,
            }
        )
        if not as_json:
            for line in header(plan, patch, entry.source):
                click.echo(f"# {line}")
            click.echo(patch.diff.encode(errors="surrogateescape"), nl=False)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    if any(row["left"] for row in rows):
        sys.exit(1)


def _print_explanations(units: Sequence[tuple[str, LockEntry, Record]], as_json: bool) -> None:
    from compiler_agent.app.explain import explain as explain_plan
    from compiler_agent.app.unit import search_space
    from compiler_agent.evaluation.evaluate import Evaluator
    from compiler_agent.llvm.engine import Engine
    from compiler_agent.llvm.plan import Plan
    from compiler_agent.llvm.toolchain import discover

    space = search_space(discover(), allow_experimental=True)
    rows = []
    for key, entry, record in units:
        with Engine(record.argv, record.cwd) as engine:
            evaluator = Evaluator(engine, space.catalog, objective=Objective(entry.objective), allow_experimental=True)
            found = explain_plan(Plan.parse(entry.plan), evaluator, space)
        evidence = dataclasses.asdict(entry.evidence)
        parts = [{"part": part.text, "pays": pays} for part, pays in found.parts]
        rows.append(
            {
                "source": entry.source,
                "key": key,
                "objective": entry.objective,
                "baseline": found.baseline_value,
                "plan": found.original_value,
                "minimal": found.minimal_value,
                "minimal_plan": str(found.minimal),
                "parts": parts,
                "evidence": evidence,
            }
        )
        if not as_json:
            click.echo(
                f"{entry.source}: {entry.objective} {found.baseline_value} -> {found.original_value}, "
                f"{found.baseline_value / found.original_value:.4f} times smaller"
            )
            click.echo(f"  minimal edit of default<O2>, {found.minimal_value}:")
            for part in sorted(parts, key=lambda part: -int(str(part["pays"]))):
                click.echo(f"    {part['pays']:>6}  {part['part']}")
            click.echo(
                f"  evidence: {evidence['strategy']}, seed {evidence['seed']}, "
                f"{evidence['n_evaluations']} evaluations, "
                f"LLVM {entry.llvm}, verifier {evidence['llvm_verifier']}, "
                f"differential test: {evidence['differential_test'] or 'none'}"
            )
            if planner := entry.evidence.planner:
                click.echo(f"  {cost(planner, entry.evidence.baseline_text_bytes, entry.evidence.plan_text_bytes)}")
                click.echo(f"    proposed by the {planner.proposed_by}: {planner.rationale} ({planner.expected})")
            click.echo(f"  trust: {entry.evidence.trust}; functions: {counted(entry.evidence.functions)}")
            for line in function_table(entry.evidence.functions):
                click.echo(f"    {line}")
    if as_json:
        click.echo(json.dumps(rows, indent=2))


def _records(command: tuple[str, ...]) -> dict[str, Record]:
    """The units of a clang or build command, by key."""
    from compiler_agent.app.program_test import record_build
    from compiler_agent.app.records import describe
    from compiler_agent.llvm.replay import key_of

    if is_compiler(command[0]):
        found = describe([*command[1:], "-O-agent=size"])
        return {key_of(record.argv, record.cwd): record for record in found}
    return {record.key: record for record in record_build(command, Path.cwd()) if record.key}


def _recalled(key: str, entry: LockEntry) -> Record:
    """How a unit was compiled when it was tuned on this machine."""
    from compiler_agent.app.records import recall

    record = recall(key)
    if record is None:
        raise CompilerAgentError(
            f"the compile command of {entry.source} is not known here",
            hint="tune it on this machine first, or write the command after --",
        )
    return record
