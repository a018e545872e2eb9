"""`compiler-agent verify` and `explain`: what the plans of a lock are worth."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from compiler_agent.app.cli_llm import cost
from compiler_agent.app.cli_options import trust_options, workload_options
from compiler_agent.app.cli_words import function_table
from compiler_agent.base.errors import CompilerAgentError, UsageError
from compiler_agent.base.trust import counted
from compiler_agent.evaluation.difftest import Workload
from compiler_agent.evaluation.evaluate import Objective

if TYPE_CHECKING:
    from compiler_agent.app.verification import Demands


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--rewrite", is_flag=True, help="Only put a lock that another tool has laid out back into its own form.")
@click.option("--remove", is_flag=True, help="Take plans out of the lock that were tried and are not established.")
@workload_options
@trust_options
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("build_command", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def verify(
    context: click.Context,
    as_json: bool,
    rewrite: bool,
    remove: bool,
    tests: tuple[Workload, ...],
    demands: Demands,
    lock: Path,
    build_command: tuple[str, ...],
) -> None:
    """Judges every plan of LOCK again: it still wins, gives the object that was measured, and passes all tests.

    The compile commands are those of the last tune on this machine, or those of the BUILD COMMAND after --. A plan that
    stands on a program's test is built and tested again, with the test of the lock or with --run; where that cannot be
    done, the plan counts as not established. Afterwards clang's own build stands there. Exit 0: all was established
    again.
    """
    from compiler_agent.app.tune_build import record_build
    from compiler_agent.app.verify import ProgramTests, verify_lock
    from compiler_agent.base import lock as locks

    if rewrite:
        locks.update(lock, {})
        return
    recorded = record_build(build_command, Path.cwd()) if build_command else []
    findings = verify_lock(
        lock,
        {record.key: record for record in recorded if record.key},
        demands=demands,
        programs=ProgramTests(build_command, tests, no_sandbox=context.params["no_sandbox"]),
        on_finding=lambda finding: click.echo(f"{finding.source}: {finding.verdict}", err=True),
    )
    if as_json:
        rows = [{**dataclasses.asdict(finding), "counts": counted(finding.functions)} for finding in findings]
        click.echo(json.dumps(rows, indent=2))
    else:
        for finding in findings:
            click.echo(
                f"{finding.source}: {finding.verdict}: "
                f"{_figure(finding.baseline_value)} -> {_figure(finding.value)}"
                + (f"; functions: {counted(finding.functions)}" if finding.functions else "")
                + (f"; program: {finding.program}" if finding.program else "")
                + (f"; {finding.reason}" if finding.reason else "")
            )
            for line in function_table(finding.functions):
                click.echo(f"  {line}")
    wrong = [finding for finding in findings if finding.was_judged and not finding.verdict.may_be_kept]
    if remove and wrong:
        locks.remove(lock, [finding.key for finding in wrong])
        click.echo(f"{len(wrong)} of {len(findings)} plans were taken out of {lock}", err=True)
    if not all(finding.verdict.may_be_kept for finding in findings):
        sys.exit(1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the explanation as JSON.")
@click.argument("lock", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("unit", required=False)
def explain(as_json: bool, lock: Path, unit: str | None) -> None:
    """The minimal edit of the stock pipeline behind each plan of LOCK, or of UNIT alone, and what each part pays."""
    from compiler_agent.app.explain import explain as explain_plan
    from compiler_agent.app.records import recall
    from compiler_agent.app.unit import search_space
    from compiler_agent.base.lock import Lock
    from compiler_agent.evaluation.evaluate import Evaluator
    from compiler_agent.llvm.engine import Engine
    from compiler_agent.llvm.plan import Plan
    from compiler_agent.llvm.toolchain import discover

    entries = [
        (key, entry)
        for key, entry in Lock.load(lock).plans.items()
        if unit is None or unit in (key, entry.source, Path(entry.source).name)
    ]
    if not entries:
        raise UsageError(f"{lock} has no plan for {unit or 'anything'}", hint="name a source or key as the lock has it")
    space = search_space(discover(), allow_experimental=True)
    rows = []
    for key, entry in entries:
        record = recall(key)
        if record is None:
            raise CompilerAgentError(
                f"the compile command of {entry.source} is not known here", hint="tune it on this machine first"
            )
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


def _figure(value: int | None) -> str:
    return "no figure" if value is None else str(value)
